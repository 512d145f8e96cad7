"""The files of a ZIP that people made of a model: each in memory, within limits."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

from app.domain.refusals.weights import DAMAGED, DUPLICATE_RECORD, UNSAFE
from worker.weights.stored_zip import BoundedReads

MAX_INFLATED_BYTES = 2 * 1024**3
MAX_RATIO = 200
MAX_ENTRIES = 10_000
_FREE_BYTES = 1024**2
_PART_BYTES = 1024**2

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    ValueError,
    NotImplementedError,
    EOFError,
    RuntimeError,
)


@contextmanager
def zip_directory(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Raises InputFailure ``model-invalid`` where it is broken, whenever that shows."""
    try:
        with zipfile.ZipFile(BoundedReads(file)) as archive:
            yield archive
    except _BROKEN as error:
        raise DAMAGED.failure(what="its ZIP directory is cut off or broken") from error


class ZippedFiles:
    """Of an open archive; all files together may hold ``MAX_INFLATED_BYTES``.

    Raises InputFailure ``archive-duplicate-entry`` or ``model-unsafe``.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MAX_INFLATED_BYTES
        entries = [entry for entry in archive.infolist() if not _is_clutter(entry)]
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise DUPLICATE_RECORD.failure(name="of a shard")
        if len(entries) > MAX_ENTRIES:
            raise UNSAFE.failure(what="its entries are too many")

    def names(self) -> list[str]:
        return list(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def opened(self, name: str, most: int = MAX_INFLATED_BYTES) -> io.BytesIO:
        """The entry in memory: files of weights are read in parts, which a compressed entry does not allow."""
        entry = self._entries[name]
        limit = min(most, self._left, max(_FREE_BYTES, MAX_RATIO * entry.compress_size))
        if entry.file_size > limit or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UNSAFE.failure(what="an entry is too long, or compressed in a way that is not read")
        content = io.BytesIO()
        with self._archive.open(entry) as file:
            while part := file.read(_PART_BYTES):
                content.write(part)
                if content.tell() > limit:
                    raise UNSAFE.failure(what="an entry is longer than it says")
        self._left -= content.tell()
        content.seek(0)
        return content


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")
