"""Reads what was listed, and nothing that lies there now under the same name."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetObjectRow
from app.domain.problems.uploads import IMAGE_LOST
from app.egress.client import EgressClient
from app.errors import EgressFailure, InputFailure, TransientFailure, Unavailable
from app.imaging.range_file import range_file
from app.imaging.table_rows import TableRows
from app.registries.listed import Listable, Listed, Place
from app.registries.places import names_one, place_of
from app.settings import Settings
from app.sources.addresses import ROWS, listed_dataset, object_at
from app.sources.registries import folders_of, registry_of
from app.storage.blobs import BlobStore

UNAVAILABLE = "source-unavailable"
READ_SECONDS = 60.0
"""That one object may take."""
PAUSES = (0.2, 1.0)
"""Seconds before the tries after the first, where an answer may be another the next time."""
OPEN_TABLES = 4
"""Each may hold what a batch of its rows has."""


class Patience:
    """Seconds that several reads may take together, from the beginning of the first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def left(self) -> float:
        """Seconds. Raises TransientFailure ``source-unavailable`` where none are left."""
        if self._until is None:
            self._until = time.monotonic() + self._seconds
        left = self._until - time.monotonic()
        if left <= 0:
            raise TransientFailure(UNAVAILABLE, "The source takes too long.")
        return left


@dataclass(frozen=True)
class Reach:
    """How a data set's source is reached: read once from the database, which nobody holds meanwhile."""

    tenant_id: UUID
    uri: str
    connection: ConnectionRow | None

    @classmethod
    def of(cls, session: Session, dataset_id: UUID) -> "Reach":
        """Raises InputFailure where the data set is gone."""
        row = session.get(DatasetImportRow, dataset_id)
        if row is None:
            raise InputFailure("artifact-corrupted", "Nothing says any more where the data set lies.")
        connection = None if row.connection_id is None else session.get_one(ConnectionRow, row.connection_id)
        return cls(row.tenant_id, row.uri, connection)

    @property
    def folder(self) -> str:
        """Of an address that names some of its shards, the folder in which they lie."""
        return place_of(self.uri)[0]

    @property
    def is_one_file(self) -> bool:
        """Whether the address names it."""
        return names_one(self.uri)

    def words(self) -> str:
        """Of the source, for people."""
        return self.uri if self.connection is None else f"{self.uri} (connection {self.connection.name[:100]!a})"

    def place(self, client: EgressClient, settings: Settings) -> Place:
        """Asks nobody yet. Raises InputFailure where the source may not be read, and TransientFailure where its
        secret cannot be opened now."""
        try:
            return self._place(client, settings)
        except EgressFailure as failure:
            raise InputFailure(failure.code, failure.detail) from failure
        except Unavailable as failure:
            raise TransientFailure(UNAVAILABLE, failure.detail) from failure

    def _place(self, client: EgressClient, settings: Settings) -> Place:
        if self.connection is None:
            return folders_of(self.tenant_id, settings).place(self.folder)
        registry = registry_of(self.connection, Vault.of(settings), client)
        if not isinstance(registry, Listable):
            raise EgressFailure("registry-not-found", "What the connection leads to cannot be listed.")
        return registry.place(self.folder)


def reading_client(settings: Settings) -> EgressClient:
    """For one thread."""
    return EgressClient.from_settings(settings, min(READ_SECONDS, settings.egress_fetch_seconds))


class OpenSource:
    """A data set's source for one thread, over a connection that is kept."""

    def __init__(self, reach: Reach, settings: Settings) -> None:
        self._reach = reach
        self._settings = settings
        self._client = reading_client(settings)

    @cached_property
    def place(self) -> Place:
        """As of `Reach`: its secret is opened once, not for every read."""
        return self._reach.place(self._client, self._settings)

    def close(self) -> None:
        """No read may be going on."""
        self._client.close()


def listed_object(session: Session, dataset_id: UUID, number: int) -> Listed:
    """Raises InputFailure where there is none."""
    row = session.get(DatasetObjectRow, (dataset_id, number))
    if row is None:
        raise InputFailure("artifact-corrupted", "The listing has no such object.")
    return Listed(row.key, row.pin, row.size)


def read_listed(place: Place, listed: Listed, offset: int, length: int, *, patience: Patience | None = None) -> bytes:
    """Raises InputFailure, which names the object: ``artifact-corrupted`` where it is another now, or gone; and
    TransientFailure ``source-unavailable``."""
    for pause in (*PAUSES, None):
        try:
            return place.read(listed, offset, length)
        except EgressFailure as failure:
            if not failure.passing:
                raise _named(failure, listed.key) from failure
            if pause is None:
                detail = f"The source does not answer ({failure.code}): {listed.key[-200:]!a}. {failure.detail}"
                raise TransientFailure(UNAVAILABLE, detail) from failure
            time.sleep(pause)
            if patience is not None:
                patience.left()
    raise AssertionError  # the last pause is None


def _named(failure: EgressFailure, key: str) -> InputFailure:
    code = "artifact-corrupted" if failure.code == "registry-not-found" else failure.code
    name = f"{key[-200:]!a}"
    detail = failure.detail if name in failure.detail else f"The object {name} cannot be read. {failure.detail}"
    return InputFailure(code, detail)


@dataclass(frozen=True)
class Contents:
    """Ranges of archives out of the store, and of listings from where their objects lie."""

    engine: Engine | TenantEngine
    blobs: BlobStore
    settings: Settings
    patience: Patience | None = None
    """Of all reads out of a listing; None: each may take what one object may."""
    let_go: Callable[[], object] | None = None
    """Called before a source is: whoever reads gives back what it need not hold meanwhile."""

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes. Raises FileNotFoundError, InputFailure and TransientFailure."""
        with self.kept() as kept:
            return kept.read_range(digest, offset, length)

    @contextmanager
    def kept(self) -> Iterator["KeptContents"]:
        """For whoever reads much: one connection for all of it."""
        with ExitStack() as until_then:
            yield KeptContents(self, until_then)


class KeptContents:
    """`Contents` for one thread, with the places that it has been to."""

    def __init__(self, contents: Contents, until_then: ExitStack) -> None:
        """``until_then`` closes what is opened."""
        self._contents = contents
        self._until_then = until_then
        self._places: dict[UUID, Place] = {}
        self._tables: dict[tuple[UUID, int], TableRows] = {}
        """By data set and number, the one that was read last behind the others."""

    @cached_property
    def _client(self) -> EgressClient:
        """Archives in the store need none."""
        return self._until_then.enter_context(reading_client(self._contents.settings))

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """As of `Contents`."""
        dataset_id = listed_dataset(digest)
        if dataset_id is None:
            return self._contents.blobs.read_range(digest, offset, length)
        number, within = object_at(offset)
        seconds = READ_SECONDS if self._contents.patience is None else self._contents.patience.left()
        with transaction(self._contents.engine) as session:
            listed = listed_object(session, dataset_id, number)
            reach = None if dataset_id in self._places else Reach.of(session, dataset_id)
        if self._contents.let_go is not None:
            self._contents.let_go()
        self._client.limit_fetches(seconds)
        if reach is not None:
            self._places[dataset_id] = reach.place(self._client, self._contents.settings)
        one = _OneObject(self._places[dataset_id], listed, self._contents.patience)
        if within >= ROWS:
            return self._image((dataset_id, number), one, within - ROWS)
        return one.read_range("", within, length)

    def _image(self, table: tuple[UUID, int], one: "_OneObject", row: int) -> bytes:
        """Of a table that a child has read whole before, since this is what it found there. The tables that were read
        last stay open: their footers are read once, and rows in their order without those before them."""
        rows = self._tables.pop(table, None) or TableRows(range_file(one, "", 0, one.listed.size), set())
        image = rows.take(row)
        # Not before: a table of which a read broke off goes on nowhere.
        self._tables[table] = rows
        if len(self._tables) > OPEN_TABLES:
            del self._tables[next(iter(self._tables))]
        return image


@dataclass(frozen=True)
class _OneObject:
    """Ranges of an object, from its first byte on."""

    place: Place
    listed: Listed
    patience: Patience | None

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """As `read_listed`."""
        del digest
        return read_listed(self.place, self.listed, offset, length, patience=self.patience)


def lost_image(error: InputFailure | FileNotFoundError) -> str:
    """What is said of an image that cannot be shown any more."""
    if isinstance(error, InputFailure) and not error.code.startswith("sample-"):
        return error.detail
    return IMAGE_LOST.detail()
