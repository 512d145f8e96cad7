"""The beginnings of files that are fetched: kept beside the store until their import is done with."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.storage.writing import storage_errors

PARTIALS = "partials"
READ_BYTES = 1024**2


class PartialFile:
    """One that is open for this process alone. Every method raises as the store's do."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @property
    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def read(self) -> Iterator[bytes]:
        """What is there."""
        with storage_errors():
            self._file.seek(0)
            while piece := self._file.read(READ_BYTES):
                yield piece

    def append(self, piece: bytes) -> None:
        """Behind what is there; unbuffered, so that a process that is killed loses nothing."""
        with storage_errors():
            self._file.seek(0, os.SEEK_END)
            self._file.write(piece)

    def clear(self) -> None:
        with storage_errors():
            self._file.truncate(0)


@dataclass(frozen=True)
class PartialFiles:
    """Those of one owner."""

    folder: Path
    owner: str

    @contextmanager
    def opened(self, identity: str) -> Iterator[PartialFile | None]:
        """The one of that name, new or not; None where another process has it."""
        name = f"{self.owner}.{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
        with storage_errors():
            self.folder.mkdir(exist_ok=True)
            descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield PartialFile(file)

    def forget(self) -> None:
        """All of them."""
        with storage_errors():
            for file in self.folder.glob(f"{self.owner}.*"):
                with suppress(FileNotFoundError):
                    file.unlink()
