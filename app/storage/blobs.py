"""Content-addressed blobs in a local folder or in S3, through one interface (obstore)."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Self

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import LocalStore, S3Store

from app.domain.vocabulary import SCHEME
from app.errors import TransientFailure
from app.settings import Settings
from app.storage.partials import PARTIALS, Partials
from app.storage.writing import BLOBS, QUARANTINE, BlobWriter, place_of, storage_errors

READ_BYTES = 1024**2
QUARANTINE_SECONDS = 3600.0
PARTIAL_SECONDS = 86_400.0
"""So much longer is kept what was fetched: its import may wait, and go on."""
LIST_BATCH = 1000
_OWNER = "owner"
_HEXADECIMAL = re.compile("[0-9a-f]{64}")

# A store that is away is told to the caller, who may come again; obstore's own patience is three minutes.
_PATIENCE: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


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
            with storage_errors():
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
        with storage_errors():
            return BlobWriter(self._store, self._folder, max_bytes)

    def exists(self, digest: str) -> bool:
        try:
            self.size(digest)
        except FileNotFoundError:
            return False
        return True

    def size(self, digest: str) -> int:
        """Raises FileNotFoundError."""
        with storage_errors():
            return int(obstore.head(self._store, place_of(digest))["size"])

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes from ``offset``; fewer at the end. Raises FileNotFoundError."""
        if length <= 0:
            return b""
        try:
            with storage_errors():
                return bytes(obstore.get_range(self._store, place_of(digest), start=offset, length=length))
        except TransientFailure:
            if offset < self.size(digest):
                raise
            return b""

    def read(self, digest: str) -> Iterator[bytes]:
        """The whole blob in chunks. Raises FileNotFoundError."""
        with storage_errors():
            stream = obstore.get(self._store, place_of(digest)).stream(min_chunk_size=READ_BYTES)
            yield from (bytes(chunk) for chunk in stream)

    @property
    def is_local(self) -> bool:
        """Whether its blobs are files of this machine."""
        return self._folder is not None

    @contextmanager
    def opened(self, digest: str) -> Iterator[BinaryIO]:
        """The blob as a file to be read: itself, or a temporary copy without a name. Raises FileNotFoundError."""
        if self._folder is not None:
            with (self._folder / place_of(digest)).open("rb") as file:
                yield file
            return
        with tempfile.TemporaryFile() as copy:
            for chunk in self.read(digest):
                copy.write(chunk)
            copy.seek(0)
            yield copy

    def delete(self, digest: str) -> None:
        """A blob that is not there is deleted already."""
        with storage_errors():
            try:
                obstore.delete(self._store, place_of(digest))
            except (NotFoundError, FileNotFoundError):
                return

    def written_at(self, digest: str) -> datetime:
        """By the store's clock. Raises FileNotFoundError."""
        with storage_errors():
            return datetime.fromtimestamp(obstore.head(self._store, place_of(digest))["last_modified"].timestamp(), UTC)

    def written_before(self, latest: datetime) -> Iterator[set[str]]:
        """The digests of all blobs that are older, in batches; what else may lie in the store is left alone."""
        with storage_errors():
            for batch in obstore.list(self._store, BLOBS, chunk_size=LIST_BATCH):
                names = {entry["path"].rpartition("/")[2] for entry in batch if entry["last_modified"] < latest}
                yield {f"{SCHEME}{name}" for name in names if _HEXADECIMAL.fullmatch(name)}

    def is_owned_by(self, owner: str) -> bool:
        """Whether the store belongs to this owner; who asks first owns it from now on."""
        with storage_errors():
            try:
                obstore.put(self._store, _OWNER, owner.encode(), mode="create")
            except AlreadyExistsError:
                return bytes(obstore.get(self._store, _OWNER).bytes()) == owner.encode()
        return True

    def partials(self, owner: str) -> Partials | None:
        """Where what an owner fetched is kept; None in S3, which appends nothing."""
        return None if self._folder is None else Partials(self._folder / PARTIALS, owner)

    def sweep(self, older_than_seconds: float = QUARANTINE_SECONDS) -> int:
        """Remove what killed processes left in quarantine; returns how many. Nobody writes to a file that old.

        Parts of an S3 upload that was cut off are no objects: a lifecycle rule of the bucket removes those.
        """
        latest = time.time() - older_than_seconds
        removed = 0
        with storage_errors():
            if self._folder is not None:
                for name, oldest in ((QUARANTINE, latest), (PARTIALS, latest - PARTIAL_SECONDS)):
                    for file in self._folder.glob(f"{name}/*"):
                        with suppress(FileNotFoundError):
                            if file.stat().st_mtime < oldest:
                                file.unlink()
                                removed += 1
                return removed
            for batch in obstore.list(self._store, QUARANTINE):
                old = [entry["path"] for entry in batch if entry["last_modified"].timestamp() < latest]
                for path in old:
                    obstore.delete(self._store, path)
                removed += len(old)
        return removed

    def ping(self) -> None:
        """Raises TransientFailure while the store cannot be written to."""
        with storage_errors():
            obstore.put(self._store, "ping", b"pong")
