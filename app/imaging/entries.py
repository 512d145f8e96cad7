"""One file inside an archive blob: where its bytes lie, and the bytes."""

import zlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.errors import InputFailure
from app.imaging.compression import STORED, decompressed

NO_CRC = -1
"""The checksum of an entry to which its archive gives two: no content has it."""


class Fault(NamedTuple):
    """What is wrong with one entry, which is its own problem and nobody else's."""

    code: str
    detail: str


@dataclass(frozen=True)
class ArchiveEntry:
    """``offset`` is that of the stored bytes within the archive; ``crc32`` None where the archive keeps none.

    ``same_as`` names the earlier entry that this one is again (a hard link); ``skip`` says why this one is no file to
    read, and ``fault`` what is wrong with it.
    """

    name: str
    offset: int
    stored_size: int
    size: int
    compression: int = STORED
    crc32: int | None = None
    is_folder: bool = False
    same_as: str | None = None
    skip: str | None = None
    fault: Fault | None = None


class Ranges(Protocol):
    """Whatever reads parts of stored contents: the blob store, or what a process without one was handed."""

    def read_range(self, digest: str, offset: int, length: int) -> bytes: ...


class StoredSample(Protocol):
    """Whatever says where a sample's bytes lie: its row, or a job that a process without a database got."""

    @property
    def name(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def stored_size(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def compression(self) -> int: ...
    @property
    def crc32(self) -> int | None: ...


def entry_of(sample: StoredSample) -> ArchiveEntry:
    """Where the sample's bytes lie."""
    return ArchiveEntry(sample.name, sample.offset, sample.stored_size, sample.size, sample.compression, sample.crc32)


def max_stored_bytes(max_bytes: int) -> int:
    """How long a deflate stream of so many bytes may be: what cannot be deflated grows by a few bytes a block."""
    return max_bytes + max_bytes // 16 + 1024


def read_entry(blobs: Ranges, digest: str, entry: ArchiveEntry, max_bytes: int) -> bytes:
    """The file's bytes, checked against its size and CRC. Raises InputFailure ``sample-corrupt``."""
    if entry.stored_size > max_stored_bytes(max_bytes):
        raise InputFailure("sample-corrupt", "The entry is longer than its content could be.")
    stored = blobs.read_range(digest, entry.offset, entry.stored_size)
    data = decompressed(stored, entry.compression, min(entry.size, max_bytes))
    if len(data) != entry.size or (entry.crc32 is not None and zlib.crc32(data) != entry.crc32):
        raise InputFailure("sample-corrupt", "The entry's bytes do not match its size and checksum.")
    return data
