"""Ranges of what a data set holds, wherever it lies: in the store, or where it was listed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import Engine

from app.db.session import TenantEngine, transaction
from app.domain.problems.uploads import IMAGE_LOST
from app.egress.client import EgressClient
from app.errors import InputFailure
from app.imaging.range_file import range_file
from app.imaging.table_rows import TableRows
from app.registries.listed import Listed, Place
from app.settings import Settings
from app.sources.addresses import ROWS, listed_dataset, object_at
from app.sources.reach import READ_SECONDS, Reach, reading_client
from app.sources.reading import Patience, listed_object, read_listed
from app.storage.blobs import BlobStore

OPEN_TABLES = 4
"""Each may hold what a batch of its rows has."""


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
