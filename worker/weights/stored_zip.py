"""The ZIP files that torch writes: their entries, all of them stored as they are, found without reading them."""

import io
import struct
import zipfile
from collections import Counter
from typing import BinaryIO

from app.domain.refusals.weights import DAMAGED, DUPLICATE_RECORD, UNSAFE
from worker.weights.lazy import Span

MAX_DIRECTORY_BYTES = 64 * 1024**2
MAX_RECORDS = 200_000
_ENCRYPTED = 1
_LOCAL = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"


class StoredZip:
    """The records of the file by name; they may not overlap, and none that is read is compressed or encrypted.

    Raises InputFailure: ``model-invalid``, ``model-unsafe`` or ``archive-duplicate-entry``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries = _entries(file)
        roots = {name.partition("/")[0] for name in self._entries}
        self.root = f"{roots.pop()}/" if len(roots) == 1 else ""

    def names(self) -> list[str]:
        """Without the folder that holds everything."""
        return [name.removeprefix(self.root) for name in self._entries]

    def __contains__(self, name: str) -> bool:
        return self.root + name in self._entries

    def span(self, name: str, *, swapped: bool = False) -> Span:
        """Where a record's bytes lie. Raises KeyError where there is none of that name."""
        entry = self._entries[self.root + name]
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & _ENCRYPTED:
            raise UNSAFE.failure(what=f"its record {name!a} is compressed, which torch does to none with weights")
        self._file.seek(max(entry.header_offset, 0))  # zipfile may count back beyond the beginning
        header = self._file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_LOCAL_MAGIC):
            raise DAMAGED.failure(what=f"the record {name!a} is not where its directory says")
        _, name_bytes, extra_bytes = _LOCAL.unpack(header)
        if entry.file_size != entry.compress_size:
            raise UNSAFE.failure(what=f"its record {name!a} has two lengths")
        begin = entry.header_offset + _LOCAL.size + name_bytes + extra_bytes
        return Span(self._file, begin, entry.file_size, swapped)

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """A record whole. Raises InputFailure ``model-unsafe`` where it is longer than it may be."""
        span = self.span(name)
        if span.size > max_bytes:
            raise UNSAFE.failure(what=f"its record {name!a} is too long")
        return bytes(span.read(0, span.size))


def _entries(file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(BoundedReads(file)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise DAMAGED.failure(what="its ZIP directory is cut off or broken") from error
    _check(entries, size)
    return {entry.filename: entry for entry in entries}


def _check(entries: list[zipfile.ZipInfo], size: int) -> None:
    names = Counter(entry.filename for entry in entries)
    if len(names) != len(entries):
        (name, _), *_ = names.most_common(1)
        raise DUPLICATE_RECORD.failure(name=repr(name))
    if len(entries) > MAX_RECORDS or sum(entry.compress_size for entry in entries) > size:
        raise UNSAFE.failure(what="its records are too many, or overlap")


class BoundedReads(io.BufferedIOBase):
    """zipfile reads a directory whole, whatever length it claims: here it may not be longer than any real one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        """Raises InputFailure ``model-unsafe`` for more than a directory may have."""
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise UNSAFE.failure(what="its ZIP directory is too long")
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
