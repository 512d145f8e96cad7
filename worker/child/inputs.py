"""The files that came with a job: all that the child can read of what is stored."""

import os
import socket
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from app.domain.problems.uploads import STORE_AWAY
from app.errors import InputFailure
from worker.wire.ranges import RangeFailed, ask_range


class JobInputs:
    """By digest. A file is read in place; a socket leads to the parent, which reads a remote store for its child."""

    def __init__(self, digests: Sequence[str], descriptors: Sequence[int]) -> None:
        self._files: dict[str, int] = {}
        self._lines: dict[str, socket.socket] = {}
        for digest, descriptor in zip(digests, descriptors, strict=True):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                self._lines[digest] = socket.socket(fileno=descriptor)
            else:
                self._files[digest] = descriptor
        self._asking = threading.Lock()

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes; fewer at the end. Raises TransientFailure where the store is away."""
        if digest in self._files:
            return _read(self._files[digest], offset, length)
        try:
            with self._asking:
                return ask_range(self._lines[digest], offset, length)
        except (RangeFailed, OSError) as error:
            raise STORE_AWAY.error() from error

    @contextmanager
    def opened(self, digest: str) -> Iterator[BinaryIO]:
        """From its beginning. Raises InputFailure where it is not here as a file."""
        if digest not in self._files:
            raise InputFailure("artifact-corrupted", f"The stored content {digest} is no file.")
        with os.fdopen(os.dup(self._files[digest]), "rb") as file:
            file.seek(0)
            yield file

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        for descriptor in set(self._files.values()):
            os.close(descriptor)


def _read(descriptor: int, offset: int, length: int) -> bytes:
    parts: list[bytes] = []
    while length > 0 and (part := os.pread(descriptor, length, offset)):
        parts.append(part)
        offset, length = offset + len(part), length - len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
