"""Archives of images: which kind, and which entries."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from app.errors import InputFailure
from app.imaging.containers import BLOCK, COMPRESSED, Container, container_of, is_tar_header
from app.imaging.entries import ArchiveEntry, Fault, max_stored_bytes
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.archives.entry_names import checked_name, from_here, is_too_long
from worker.archives.name_encodings import NameDecoder
from worker.archives.range_reader import RangeReader
from worker.archives.streams import inflated
from worker.archives.tar_index import tar_entries, tar_names
from worker.archives.zip_index import zip_entries, zip_names

NAME_TOO_LONG = "name-too-long"


class Listing(NamedTuple):
    """An archive's entries as they come, and the decoder of its names, which knows afterwards what it assumed."""

    entries: Iterator[ArchiveEntry]
    names: NameDecoder


def seekable(blobs: BlobStore, digest: str, settings: Settings) -> str:
    """The digest of an archive whose entries can be read at random: a compressed tar is inflated into a new blob, once.

    Raises InputFailure: ``archive-malformed``, ``archive-ambiguous``, ``archive-expansion-limit``, or
    ``unsupported-media-type`` for a compressed stream of anything but a tar.
    """
    container = container_of(blobs.read_range(digest, 0, min(BLOCK, blobs.size(digest))))
    if container not in COMPRESSED:
        return digest
    with blobs.writer(settings.max_inflated_bytes + 1) as writer:
        for chunk in _checked_tar(inflated(blobs.read(digest), container, settings), container):
            writer.write(chunk)
        return writer.commit().digest


def is_table(blobs: BlobStore, digest: str) -> bool:
    """Whether it is a Parquet table, and no archive."""
    return container_of(blobs.read_range(digest, 0, min(BLOCK, blobs.size(digest)))) is Container.PARQUET


def list_entries(blobs: BlobStore, digest: str, settings: Settings, name_encoding: str | None = None) -> Listing:
    """The files, links and folders of a zip or tar, names checked, limits kept.

    Going through the entries raises InputFailure with one of the ``archive-...`` codes for what makes the archive
    hostile, or readable in more than one way. What is wrong with one entry is told by the entry.
    """
    reader = RangeReader(blobs, digest, blobs.size(digest))
    if container_of(reader.read(0, min(BLOCK, reader.size))) is Container.ZIP:
        names = zip_names(reader, name_encoding)
        entries = zip_entries(reader, names)
    else:
        names = tar_names(reader, name_encoding)
        entries = tar_entries(reader, names)
    return Listing(_checked(entries, settings, reader.size), names)


def judged_entries(entries: Iterator[ArchiveEntry], settings: Settings) -> Iterator[ArchiveEntry]:
    """With names checked, and what is wrong with one alone. Raises InputFailure for what no listing may hold."""
    for number, entry in enumerate(entries):
        if number >= settings.max_entries:
            detail = f"More than {settings.max_entries} entries (MAX_ENTRIES): send it as several data sets."
            raise InputFailure("archive-too-many-entries", detail)
        relative = from_here(entry.name)
        if relative or not entry.is_folder:
            yield _judged(replace(entry, name=checked_name(relative)), settings)


def _checked(entries: Iterator[ArchiveEntry], settings: Settings, archive_bytes: int) -> Iterator[ArchiveEntry]:
    total = 0
    for checked in judged_entries(entries, settings):
        if checked.fault is None and checked.skip is None:
            total += checked.size
            _check_expansion(total, archive_bytes, settings)
        yield checked


def _judged(entry: ArchiveEntry, settings: Settings) -> ArchiveEntry:
    """With what is wrong with it alone."""
    if entry.same_as is not None:
        entry = replace(entry, same_as=checked_name(from_here(entry.same_as)))
    if is_too_long(entry.name, max_bytes=settings.max_path_bytes, max_depth=settings.max_path_depth):
        return replace(entry, skip=NAME_TOO_LONG)
    most = settings.max_entry_bytes
    # A compressed entry is read whole before it is inflated, so that its stored bytes have a limit too.
    if entry.size > most or entry.stored_size > max_stored_bytes(most):
        return replace(entry, fault=Fault("sample-too-large", f"It has more than {most} bytes (MAX_ENTRY_BYTES)."))
    return entry


def _check_expansion(total: int, archive_bytes: int, settings: Settings) -> None:
    """One entry, as large as it may be, may be all zeros; a whole archive of them is a bomb."""
    if total > settings.max_inflated_bytes:
        detail = "Its entries inflate to more than MAX_INFLATED_BYTES allows: send it as several data sets."
        raise InputFailure("archive-expansion-limit", detail)
    if total > settings.max_ratio * archive_bytes + settings.max_entry_bytes:
        detail = f"Its entries inflate to more than {settings.max_ratio} times its size (MAX_RATIO): send a tar file."
        raise InputFailure("archive-expansion-limit", detail)


def _checked_tar(chunks: Iterator[bytes], container: Container) -> Iterator[bytes]:
    """The chunks, once a first block is there that may begin a tar: a header, or the zeros of an empty one."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= BLOCK:
            break
    block = start[:BLOCK]
    if any(block) and not is_tar_header(block.ljust(BLOCK, b"\0")):
        raise InputFailure("unsupported-media-type", f"The {container} stream holds no tar archive.")
    yield start
    yield from chunks
