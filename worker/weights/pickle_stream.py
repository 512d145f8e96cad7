"""The bytes of a pickle, as its opcodes take them."""

from typing import IO


class Bounded:
    """No argument is longer than what is left, and no pickle longer than it may be."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._left = max_bytes

    def read(self, size: int) -> bytes:
        """Raises ValueError for a length beyond the end."""
        if not 0 <= size <= self._left:
            raise ValueError("a length beyond the end")
        self._left -= size
        return self._file.read(size)

    def readline(self) -> bytes:
        line = self._file.readline(self._left)
        self._left -= len(line)
        return line
