"""Random access to a blob through a window of one mebibyte."""

import struct

from app.errors import InputFailure
from app.storage.blobs import BlobStore

WINDOW_BYTES = 1024**2


class RangeReader:
    """Reads forward mostly; keeps one window in memory, whatever the blob's size."""

    def __init__(self, blobs: BlobStore, digest: str) -> None:
        self._blobs = blobs
        self._digest = digest
        self._start = 0
        self._window = b""
        self.size = blobs.size(digest)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes. Raises InputFailure ``archive-malformed`` where the blob is shorter."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise InputFailure("archive-malformed", "The archive is cut off or its structure is broken.")
        if not (self._start <= offset and offset + length <= self._start + len(self._window)):
            self._start = offset
            self._window = self._blobs.read_range(self._digest, offset, max(length, WINDOW_BYTES))
        begin = offset - self._start
        return self._window[begin : begin + length]

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Little-endian integers at an offset."""
        return struct.unpack(f"<{layout}", self.read(offset, struct.calcsize(f"<{layout}")))
