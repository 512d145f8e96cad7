"""The entries of a plain tar file (ustar, pax, GNU long names), read in place and in constant memory."""

from collections.abc import Iterator

from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.archives.range_reader import RangeReader
from worker.archives.tar_headers import (
    EXTENSIONS,
    FILES,
    FOLDER,
    Header,
    Override,
    ambiguous,
    extended,
    malformed,
    not_utf8,
    parse_header,
)

BLOCK = 512
_MAX_EXTENSION_BYTES = 64 * 1024


def tar_entries(reader: RangeReader) -> Iterator[ArchiveEntry]:
    """Every file and folder in stored order.

    Raises InputFailure ``archive-malformed``, ``archive-ambiguous`` or ``archive-special-entry``.
    """
    position, override = 0, Override()
    while position < reader.size:
        block = reader.read(position, BLOCK)
        if not any(block):
            _check_end(reader, position)
            return
        header = parse_header(block, position)
        body = position + BLOCK
        is_extension = header.kind in EXTENSIONS
        size = header.size if override.size is None or is_extension else override.size
        name = header.name if override.name is None or is_extension else override.name
        position = _end(reader, body + size, name)
        if is_extension:
            override = extended(override, header, _extension(reader, body, header))
        else:
            yield _entry(header, override, body)
            override = Override()
    raise malformed("its end mark is missing")


def _end(reader: RangeReader, end: int, name: str) -> int:
    """Where the block ends in which an entry's bytes end: up to there all is zero."""
    padded = -(-end // BLOCK) * BLOCK
    if padded > reader.size:
        raise malformed(f"it is cut off within {name[:200]!a}")
    if any(reader.read(end, padded - end)):
        raise ambiguous(f"bytes hide behind the content of {name[:200]!a}")
    return padded


def _entry(header: Header, override: Override, body: int) -> ArchiveEntry:
    name = header.name if override.name is None else override.name
    size = header.size if override.size is None else override.size
    if any("\udc80" <= character <= "\udcff" for character in name):
        raise not_utf8(name.encode("utf-8", "surrogateescape"))
    if header.kind not in FILES and header.kind != FOLDER:
        raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a link, a device or sparse.")
    if override.is_sparse:
        raise InputFailure("archive-special-entry", f"The entry {name[:200]!a} is a sparse file.")
    is_folder = header.kind == FOLDER or name.endswith("/")
    if is_folder and size:
        # Some readers skip a folder's size, since it may be meant as a quota.
        raise ambiguous(f"the folder {name[:200]!a} has content")
    return ArchiveEntry(name, body, size, size, is_folder=is_folder)


def _extension(reader: RangeReader, body: int, header: Header) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise malformed(f"the extension header {header.name[:200]!a} is too long")
    return reader.read(body, header.size)


def _check_end(reader: RangeReader, position: int) -> None:
    """Zeros to the end: nothing may hide behind the end mark."""
    while position < reader.size:
        length = min(BLOCK * 1024, reader.size - position)
        if any(reader.read(position, length)):
            raise ambiguous("data follows its end mark")
        position += length
