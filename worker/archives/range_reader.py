"""Random access to a blob through two windows."""

import struct

from app.errors import InputFailure
from app.imaging.entries import Ranges

WINDOW_BYTES = 1024**2


class RangeReader:
    """Reads forward mostly, in one place or, like a ZIP's directory and its entries, in two at a time.

    Whatever the blob's size, no more than two windows are in memory.
    """

    def __init__(
        self, blobs: Ranges, digest: str, size: int, start: int = 0, *, window_bytes: int = WINDOW_BYTES
    ) -> None:
        """Of a blob's ``size`` bytes, or of so many from ``start`` on: an archive within another."""
        self._blobs = blobs
        self._digest = digest
        self._start = start
        self._window_bytes = window_bytes
        self._windows: list[tuple[int, bytes]] = []
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes. Raises InputFailure ``archive-malformed`` where the blob is shorter."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise InputFailure("archive-malformed", "The archive is cut off or its structure is broken.")
        start, window = self._window(offset, length)
        begin = offset - start
        return window[begin : begin + length]

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Little-endian integers at an offset."""
        return struct.unpack(f"<{layout}", self.read(offset, struct.calcsize(f"<{layout}")))

    def _window(self, offset: int, length: int) -> tuple[int, bytes]:
        """The one that was used last comes first."""
        for number, (start, window) in enumerate(self._windows):
            if start <= offset and offset + length <= start + len(window):
                self._windows.insert(0, self._windows.pop(number))
                return self._windows[0]
        read = self._blobs.read_range(self._digest, self._start + offset, max(length, self._window_bytes))
        self._windows = [(offset, read), *self._windows[:1]]
        return self._windows[0]
