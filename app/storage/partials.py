"""What an import has fetched, kept beside the store until it is done with: file behind file, in one log.

The last may be cut off: it goes on where it is. Whoever fetches anew asks for the files in the same order.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.storage.writing import storage_errors

PARTIALS = "partials"
READ_BYTES = 1024**2
MOST_TAG_BYTES = 1024
_HEADER = struct.Struct(">32sQH")
"""Of a file in the log: a hash of its pin, its size, and how long the tag is that follows."""


@dataclass
class PartialFile:
    """One file of a log; ``kept`` of its ``size`` bytes are there. Every method raises as the store's do."""

    log: int
    """Its descriptor."""
    header: int
    begin: int
    size: int
    kept: int
    tag: str
    """The ETag with which it began to come; empty: none."""

    @property
    def is_whole(self) -> bool:
        return self.kept == self.size

    def pieces(self) -> Iterator[bytes]:
        """What is there."""
        with storage_errors():
            for offset in range(0, self.kept, READ_BYTES):
                yield os.pread(self.log, min(READ_BYTES, self.kept - offset), self.begin + offset)

    def append(self, piece: bytes) -> None:
        """Behind what is there; unbuffered, so that a process that is killed loses nothing."""
        with storage_errors():
            _write(self.log, piece, self.begin + self.kept)
        self.kept += len(piece)


class PartialLog:
    """One that is open for this process alone. Every method raises as the store's do."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._files: dict[bytes, PartialFile] = {}
        self._last: PartialFile | None = None
        self._read()

    def found(self, pin: str) -> PartialFile | None:
        return self._files.get(_hashed(pin))

    def add(self, pin: str, size: int, tag: str) -> PartialFile:
        """A file of which nothing is there yet; the one before it is dropped where it is cut off, as is one of that
        pin with whatever follows it."""
        before = self.found(pin)
        if before is not None:
            self._cut(before.header)
        elif self._last is not None and not self._last.is_whole:
            self._cut(self._last.header)
        end = 0 if self._last is None else self._last.begin + self._last.size
        told = tag.encode()[:MOST_TAG_BYTES]
        with storage_errors():
            _write(self._descriptor, _HEADER.pack(_hashed(pin), size, len(told)) + told, end)
        return self._take(_hashed(pin), end, size, told)

    def clear(self) -> None:
        self._cut(0)

    def _read(self) -> None:
        with storage_errors():
            end, offset = os.fstat(self._descriptor).st_size, 0
            while len(head := os.pread(self._descriptor, _HEADER.size + MOST_TAG_BYTES, offset)) >= _HEADER.size:
                pin, size, length = _HEADER.unpack_from(head)
                told = head[_HEADER.size : _HEADER.size + length]
                if len(told) < length:
                    break
                file = self._take(pin, offset, size, told)
                file.kept = max(0, min(size, end - file.begin))
                offset = file.begin + size
            if offset < end:  # a header that was cut off
                os.ftruncate(self._descriptor, offset)

    def _take(self, pin: bytes, header: int, size: int, told: bytes) -> PartialFile:
        begin = header + _HEADER.size + len(told)
        file = PartialFile(self._descriptor, header, begin, size, 0, told.decode(errors="replace"))
        self._files[pin] = self._last = file
        return file

    def _cut(self, header: int) -> None:
        """The file whose header that is, and all behind it."""
        with storage_errors():
            os.ftruncate(self._descriptor, header)
        self._files = {pin: file for pin, file in self._files.items() if file.header < header}
        self._last = max(self._files.values(), key=lambda file: file.header, default=None)


@dataclass(frozen=True)
class Partials:
    """Those of one owner."""

    folder: Path
    owner: str

    @contextmanager
    def opened(self) -> Iterator[PartialLog | None]:
        """New or not; None where another process has it."""
        with storage_errors():
            self.folder.mkdir(exist_ok=True)
            descriptor = os.open(self.folder / f"{self.owner}.log", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield PartialLog(descriptor)
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """All of them."""
        with storage_errors():
            for file in self.folder.glob(f"{self.owner}.*"):
                with suppress(FileNotFoundError):
                    file.unlink()


def _hashed(pin: str) -> bytes:
    return hashlib.sha256(pin.encode(errors="surrogatepass")).digest()


def _write(descriptor: int, content: bytes, offset: int) -> None:
    """All of it."""
    left = memoryview(content)
    while left:
        count = os.pwrite(descriptor, left, offset)
        left, offset = left[count:], offset + count
