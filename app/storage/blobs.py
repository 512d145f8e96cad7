"""Content-addressed blobs in a local folder or in S3, through one interface (obstore)."""

import errno
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from app.domain.vocabulary import SCHEME
from app.errors import InsufficientStorage, TooLarge, TransientFailure
from app.settings import Settings

READ_BYTES = 1024**2
PART_BYTES = 8 * 1024**2
QUARANTINE_SECONDS = 3600.0
LIST_BATCH = 1000
_QUARANTINE = "quarantine"
_BLOBS = "blobs/sha256"
_OWNER = "owner"
# A disk, a quota, and the longest file that the system allows; as the system says it and as obstore does.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXTS = ("StorageFull", *map(os.strerror, _FULL))
_HEXADECIMAL = re.compile("[0-9a-f]{64}")
# A store that is away is told to the caller, who may come again; obstore's own patience is three minutes.
_PATIENCE: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


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
        self._path = f"{_QUARANTINE}/{uuid4().hex}"
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
        with _storage_errors():
            self._file.write(chunk)

    @property
    def sha256(self) -> bytes:
        """Of what was written so far."""
        return self._hash.digest()

    def commit(self) -> StoredBlob:
        """Same content twice is stored once; in a folder it is on the disk itself before anybody refers to it."""
        digest = f"{SCHEME}{self._hash.hexdigest()}"
        with _storage_errors():
            self._file.close()
            if self._folder is not None:
                _sync(self._folder / self._path)
            # What may be there already has the same content: its name is its digest.
            obstore.rename(self._store, self._path, _place(digest))
        return StoredBlob(digest, self.size)


class BlobStore:
    """Blobs by digest."""

    def __init__(self, store: Any, folder: Path | None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """``BLOB_STORE`` is a folder, or ``s3://bucket/prefix`` with the credentials of the AWS environment.

        Raises TransientFailure where the folder cannot be made.
        """
        folder = settings.local_blob_folder
        if folder is not None:
            with _storage_errors():
                return cls(LocalStore(folder.resolve(), mkdir=True), folder.resolve())
        client: Any = {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "15m"}
        options: dict[str, Any] = {}
        if settings.s3_endpoint:
            options["endpoint"] = settings.s3_endpoint
            client["allow_http"] = settings.s3_endpoint.startswith("http://")
        return cls(
            S3Store.from_url(settings.blob_store, client_options=client, retry_config=_PATIENCE, **options), None
        )

    def writer(self, max_bytes: int) -> BlobWriter:
        """A new blob of at most ``max_bytes``."""
        with _storage_errors():
            return BlobWriter(self._store, self._folder, max_bytes)

    def exists(self, digest: str) -> bool:
        try:
            self.size(digest)
        except FileNotFoundError:
            return False
        return True

    def size(self, digest: str) -> int:
        """Raises FileNotFoundError."""
        with _storage_errors():
            return int(obstore.head(self._store, _place(digest))["size"])

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset``; fewer at the end. Raises FileNotFoundError."""
        if length <= 0:
            return b""
        try:
            with _storage_errors():
                return bytes(obstore.get_range(self._store, _place(digest), start=offset, length=length))
        except TransientFailure:
            if offset < self.size(digest):
                raise
            return b""

    def read(self, digest: str) -> Iterator[bytes]:
        """The whole blob in chunks. Raises FileNotFoundError."""
        with _storage_errors():
            stream = obstore.get(self._store, _place(digest)).stream(min_chunk_size=READ_BYTES)
            yield from (bytes(chunk) for chunk in stream)

    @property
    def is_local(self) -> bool:
        """Whether its blobs are files of this machine."""
        return self._folder is not None

    @contextmanager
    def opened(self, digest: str) -> Iterator[BinaryIO]:
        """The blob as a file to be read: itself, or a temporary copy without a name. Raises FileNotFoundError."""
        if self._folder is not None:
            with (self._folder / _place(digest)).open("rb") as file:
                yield file
            return
        with tempfile.TemporaryFile() as copy:
            for chunk in self.read(digest):
                copy.write(chunk)
            copy.seek(0)
            yield copy

    def delete(self, digest: str) -> None:
        """A blob that is not there is deleted already."""
        with _storage_errors():
            try:
                obstore.delete(self._store, _place(digest))
            except (NotFoundError, FileNotFoundError):
                return

    def written_at(self, digest: str) -> datetime:
        """By the store's clock. Raises FileNotFoundError."""
        with _storage_errors():
            return datetime.fromtimestamp(obstore.head(self._store, _place(digest))["last_modified"].timestamp(), UTC)

    def written_before(self, latest: datetime) -> Iterator[set[str]]:
        """The digests of all blobs that are older, in batches; what else may lie in the store is left alone."""
        with _storage_errors():
            for batch in obstore.list(self._store, _BLOBS, chunk_size=LIST_BATCH):
                names = {entry["path"].rpartition("/")[2] for entry in batch if entry["last_modified"] < latest}
                yield {f"{SCHEME}{name}" for name in names if _HEXADECIMAL.fullmatch(name)}

    def is_owned_by(self, owner: str) -> bool:
        """Whether the store belongs to this owner; who asks first owns it from now on."""
        with _storage_errors():
            try:
                obstore.put(self._store, _OWNER, owner.encode(), mode="create")
            except AlreadyExistsError:
                return bytes(obstore.get(self._store, _OWNER).bytes()) == owner.encode()
        return True

    def sweep(self, older_than_seconds: float = QUARANTINE_SECONDS) -> int:
        """Remove what killed processes left in quarantine; returns how many. Nobody writes to a file that old.

        Parts of an S3 upload that was cut off are no objects: a lifecycle rule of the bucket removes those.
        """
        latest = time.time() - older_than_seconds
        removed = 0
        with _storage_errors():
            if self._folder is not None:
                for file in self._folder.glob(f"{_QUARANTINE}/*"):
                    with suppress(FileNotFoundError):
                        if file.stat().st_mtime < latest:
                            file.unlink()
                            removed += 1
                return removed
            for batch in obstore.list(self._store, _QUARANTINE):
                old = [entry["path"] for entry in batch if entry["last_modified"].timestamp() < latest]
                for path in old:
                    obstore.delete(self._store, path)
                removed += len(old)
        return removed

    def ping(self) -> None:
        """Raises TransientFailure while the store cannot be written to."""
        with _storage_errors():
            obstore.put(self._store, "ping", b"pong")


def _place(digest: str) -> str:
    """Two levels of folders, so that none grows too long."""
    hexadecimal = digest.removeprefix(SCHEME)
    return f"{_BLOBS}/{hexadecimal[:2]}/{hexadecimal}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _storage_errors() -> Iterator[None]:
    """A full disk and a store that is away each have their own name."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise
    except (BaseError, OSError) as error:
        text = str(error)
        if getattr(error, "errno", None) in _FULL or any(full in text for full in _FULL_TEXTS):
            raise InsufficientStorage("insufficient-storage", "The blob store is full.") from error
        raise TransientFailure("storage-unavailable", "The blob store cannot be reached.") from error
