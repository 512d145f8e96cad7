"""Stored bytes that are read in ranges, as a file that is open for reading at any place."""

import io
from typing import cast

from app.imaging.entries import Ranges
from app.settings import MEBIBYTE

WINDOW_BYTES = MEBIBYTE
MOST_AT_ONCE = 8 * MEBIBYTE
"""Whoever reads for this process holds no more than that."""


def range_file(ranges: Ranges, digest: str, start: int, size: int) -> io.BufferedReader:
    """Of ``size`` bytes from ``start`` on."""
    return io.BufferedReader(_RangeFile(ranges, digest, start, size), WINDOW_BYTES)


class _RangeFile(io.RawIOBase):
    def __init__(self, ranges: Ranges, digest: str, start: int, size: int) -> None:
        self._ranges = ranges
        self._digest = digest
        self._start, self._size = start, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        length = max(0, min(len(view), self._size - self._position, MOST_AT_ONCE))
        data = self._ranges.read_range(self._digest, self._start + self._position, length) if length else b""
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
