"""The entries of a plain tar file (v7, ustar, pax, GNU long names), read in place and in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import InputFailure
from app.imaging.containers import BLOCK
from app.imaging.entries import ArchiveEntry
from worker.archives.name_encodings import NameDecoder
from worker.archives.range_reader import RangeReader
from worker.archives.tar_headers import (
    EXTENSIONS,
    FILES,
    FOLDER,
    HARD_LINK,
    SYMBOLIC_LINK,
    Header,
    Override,
    ambiguous,
    extended,
    malformed,
    parse_header,
)

_MAX_EXTENSION_BYTES = 64 * 1024


@dataclass(frozen=True)
class _Member:
    """What its headers say of one entry; names may hold surrogates. ``body`` is where its bytes begin."""

    kind: str
    name: str
    target: str
    size: int
    is_sparse: bool
    body: int


def tar_names(reader: RangeReader, encoding: str | None = None) -> NameDecoder:
    """Of names that are not UTF-8."""
    return NameDecoder(lambda: (raw for member in _members(reader) if (raw := _undeclared(member.name))), encoding)


def tar_entries(reader: RangeReader, names: NameDecoder) -> Iterator[ArchiveEntry]:
    """Every file, link and folder in stored order.

    Raises InputFailure ``archive-malformed``, ``archive-ambiguous`` or ``archive-special-entry``.
    """
    for member in _members(reader):
        yield _entry(member, names)


def _members(reader: RangeReader) -> Iterator[_Member]:
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
            target = header.target if override.target is None else override.target
            yield _Member(header.kind, name, target, size, override.is_sparse, body)
            override = Override()
    raise malformed("its end mark is missing: it was cut off")


def _end(reader: RangeReader, end: int, name: str) -> int:
    """Where the block ends in which an entry's bytes end: up to there all is zero."""
    padded = -(-end // BLOCK) * BLOCK
    if padded > reader.size:
        raise malformed(f"it is cut off within {name[:200]!a}")
    if any(reader.read(end, padded - end)):
        raise ambiguous(f"bytes hide behind the content of {name[:200]!a}")
    return padded


def _entry(member: _Member, names: NameDecoder) -> ArchiveEntry:
    name = _decoded(member.name, names)
    if member.is_sparse or member.kind not in FILES | {FOLDER, HARD_LINK, SYMBOLIC_LINK}:
        detail = f"The entry {name[:200]!a} is a device or a sparse file: leave it out, or write it without --sparse."
        raise InputFailure("archive-special-entry", detail)
    is_folder = member.kind == FOLDER or name.endswith("/")
    if member.size and (is_folder or member.kind in {HARD_LINK, SYMBOLIC_LINK}):
        # Some readers skip a folder's size, since it may be meant as a quota; and a link's, which has no bytes.
        raise ambiguous(f"the folder or link {name[:200]!a} has content")
    if member.kind == SYMBOLIC_LINK:
        return ArchiveEntry(name, member.body, 0, 0, skip="symbolic-link")
    target = _decoded(member.target, names) if member.kind == HARD_LINK else None
    return ArchiveEntry(name, member.body, member.size, member.size, is_folder=is_folder, same_as=target)


def _undeclared(name: str) -> bytes | None:
    raw = name.encode("utf-8", "surrogateescape")
    return raw if any("\udc80" <= character <= "\udcff" for character in name) else None


def _decoded(name: str, names: NameDecoder) -> str:
    raw = _undeclared(name)
    return name if raw is None else names.decode(raw)


def _extension(reader: RangeReader, body: int, header: Header) -> bytes:
    if header.size > _MAX_EXTENSION_BYTES:
        raise malformed(f"the extension header {header.name[:200]!a} is too long")
    return reader.read(body, header.size)


def _check_end(reader: RangeReader, position: int) -> None:
    """Zeros to the end: nothing may hide behind the end mark."""
    while position < reader.size:
        length = min(BLOCK * 1024, reader.size - position)
        if any(reader.read(position, length)):
            way_out = "two archives behind each other are joined by tar --concatenate, or sent as two data sets"
            raise ambiguous(f"data follows its end mark ({way_out})")
        position += length
