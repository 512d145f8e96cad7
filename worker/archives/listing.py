"""Archives of images: which kind, and which entries."""

import zlib
from collections.abc import Iterator
from dataclasses import replace

from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry, max_stored_bytes
from app.settings import MEBIBYTE, Settings
from app.storage.blobs import BlobStore
from worker.archives.entry_names import checked_name, from_here
from worker.archives.range_reader import RangeReader
from worker.archives.tar_headers import is_header
from worker.archives.tar_index import BLOCK, tar_entries
from worker.archives.zip_index import zip_entries

_GZIP = b"\x1f\x8b\x08"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def seekable(blobs: BlobStore, digest: str, settings: Settings) -> str:
    """The digest of an archive whose entries can be read at random: a gzip is inflated into a new blob, once.

    Raises InputFailure: ``archive-malformed``, ``archive-ambiguous``, ``archive-expansion-limit``, or
    ``unsupported-media-type`` for a gzip of anything but a tar.
    """
    if blobs.read_range(digest, 0, 3) != _GZIP:
        return digest
    with blobs.writer(settings.max_inflated_bytes + 1) as writer:
        for chunk in _checked_tar(_inflated(blobs.read(digest), settings)):
            writer.write(chunk)
        return writer.commit().digest


def archive_entries(blobs: BlobStore, digest: str, settings: Settings) -> Iterator[ArchiveEntry]:
    """The files and folders of a zip or tar, names checked, limits kept.

    Raises InputFailure with one of the ``archive-...`` codes, or ``unsupported-media-type``.
    """
    reader = RangeReader(blobs, digest)
    is_zip = reader.read(0, min(4, reader.size)).startswith(_ZIP)
    entries = zip_entries(reader) if is_zip else tar_entries(reader)
    total = 0
    for number, entry in enumerate(entries):
        if number >= settings.max_entries:
            raise InputFailure("archive-too-many-entries", f"More than {settings.max_entries} entries.")
        relative = from_here(entry.name)
        if entry.is_folder and not relative:
            continue
        name = checked_name(relative, max_bytes=settings.max_path_bytes, max_depth=settings.max_path_depth)
        total += entry.size
        _check_expansion(entry, total, settings)
        yield replace(entry, name=name)


def _check_expansion(entry: ArchiveEntry, total: int, settings: Settings) -> None:
    suspicious = entry.size > MEBIBYTE and entry.size > settings.max_ratio * max(entry.stored_size, 1)
    # A deflated entry is read whole before it is inflated, so that its stored bytes have a limit too.
    too_long = entry.size > settings.max_entry_bytes or entry.stored_size > max_stored_bytes(settings.max_entry_bytes)
    if suspicious or too_long or total > settings.max_inflated_bytes:
        detail = f"The entry {entry.name[:200]!a} passes the limits on bytes, stored or inflated."
        raise InputFailure("archive-expansion-limit", detail)


def _checked_tar(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, once a first block is there that may begin a tar: a header, or the zeros of an empty one."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= BLOCK:
            break
    block = start[:BLOCK]
    if any(block) and not is_header(block.ljust(BLOCK, b"\0")):
        raise InputFailure("unsupported-media-type", "The gzip stream holds no tar archive.")
    yield start
    yield from chunks


def _inflated(chunks: Iterator[bytes], settings: Settings) -> Iterator[bytes]:
    """One gzip member, nothing behind it."""
    inflater, taken, made = zlib.decompressobj(31), 0, 0
    for chunk in chunks:
        taken += len(chunk)
        rest = chunk
        while rest:
            if inflater.eof:
                raise InputFailure("archive-ambiguous", "Data follows the gzip stream.")
            try:
                part = inflater.decompress(rest, MEBIBYTE)
            except zlib.error as error:
                raise InputFailure("archive-malformed", "The gzip stream is broken.") from error
            made += len(part)
            if made > settings.max_inflated_bytes or (made > MEBIBYTE and made > settings.max_ratio * taken):
                raise InputFailure("archive-expansion-limit", "The gzip stream passes the limits on inflated bytes.")
            yield part
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise InputFailure("archive-malformed", "The gzip stream is cut off.")
