"""A blob in the making: under its digest once it is whole, or not at all."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError, NotFoundError

from app.domain.problems import uploads
from app.domain.vocabulary import SCHEME
from app.errors import TooLarge

PART_BYTES = 8 * 1024**2
QUARANTINE = "quarantine"
BLOBS = "blobs/sha256"

# A disk, a quota, and the longest file that the system allows; as the system says it and as obstore does.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXTS = ("StorageFull", *map(os.strerror, _FULL))


@dataclass(frozen=True)
class StoredBlob:
    """``digest`` is ``sha256:`` and 64 hex digits of the content."""

    digest: str
    size: int


class BlobWriter:
    """Takes chunks into quarantine, hashing them; `commit` moves the whole to its digest's place.

    Left without a commit, nothing stays behind.
    """

    def __init__(self, store: Any, folder: Path | None, max_bytes: int) -> None:
        self._store = store
        self._folder = folder
        self._max_bytes = max_bytes
        self._path = f"{QUARANTINE}/{uuid4().hex}"
        self._file: Any = obstore.open_writer(store, self._path, buffer_size=PART_BYTES, max_concurrency=2)
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file = None

    def write(self, chunk: bytes) -> None:
        """Raises TooLarge past the limit and InsufficientStorage on a full disk."""
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise TooLarge("payload-too-large", f"The body exceeds the limit of {self._max_bytes} bytes.")
        self._hash.update(chunk)
        with storage_errors():
            self._file.write(chunk)

    @property
    def sha256(self) -> bytes:
        """Of what was written so far."""
        return self._hash.digest()

    def commit(self) -> StoredBlob:
        """Same content twice is stored once; in a folder it is on the disk itself before anybody refers to it."""
        digest = f"{SCHEME}{self._hash.hexdigest()}"
        with storage_errors():
            self._file.close()
            if self._folder is not None:
                _sync(self._folder / self._path)
            # What may be there already has the same content: its name is its digest.
            obstore.rename(self._store, self._path, place_of(digest))
        return StoredBlob(digest, self.size)


def place_of(digest: str) -> str:
    """Two levels of folders, so that none grows too long."""
    hexadecimal = digest.removeprefix(SCHEME)
    return f"{BLOBS}/{hexadecimal[:2]}/{hexadecimal}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors() -> Iterator[None]:
    """A full disk and a store that is away each have their own name."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise
    except (BaseError, OSError) as error:
        text = str(error)
        if getattr(error, "errno", None) in _FULL or any(full in text for full in _FULL_TEXTS):
            raise uploads.STORE_FULL.error() from error
        raise uploads.STORE_AWAY.error() from error
