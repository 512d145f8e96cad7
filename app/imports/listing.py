"""Lists the files of a data set by reference into rows, page by page; whoever goes on goes on where it stopped."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select, text
from sqlalchemy.orm import Session

from app.datasets.sources import place_of
from app.db.session import clock, transaction
from app.db.tables import DatasetImportRow, DatasetObjectRow
from app.egress.answers import malformed
from app.errors import EgressFailure
from app.imaging.kinds import EXTENSIONS
from app.imports.claims import LEASE, Claim, ImportLost
from app.imports.packing import copy_dataset
from app.imports.resuming import resuming
from app.imports.storing import Fetched, StillAtIt
from app.registries.base import Registry
from app.registries.listed import Listable, Listed, Page, Place, check_listed
from app.settings import Settings
from app.sources.addresses import MOST_OBJECTS
from app.storage.blobs import BlobStore

WITHIN = ("parquet", "tar")
"""What holds images that nobody reads without opening it."""
MOST_EMPTY = 10_000
"""Pages in a row without an object: of old versions alone, or of a server that never comes to an end."""
# In one statement, since COPY does not speak with row security.
_INSERT = text(
    "INSERT INTO dataset_objects (tenant_id, dataset_id, number, key, pin, size)"
    " SELECT :tenant_id, :dataset_id, number, key, pin, size FROM unnest(CAST(:number AS integer[]),"
    " CAST(:key AS text[]), CAST(:pin AS text[]), CAST(:size AS bigint[])) AS listed (number, key, pin, size)"
)


@dataclass(frozen=True)
class Means:
    """What a fetch works with."""

    engine: Engine
    blobs: BlobStore
    settings: Settings
    claim: Claim
    still_at_it: StillAtIt


def fetch_dataset(registry: Registry, means: Means) -> Fetched:
    """A folder of images is listed where that was not refused; whatever else is copied. Raises EgressFailure."""
    _, archive = place_of(means.claim.uri)
    log = _Log(means)
    if archive is None and log.is_wanted() and isinstance(registry, Listable):
        uri, version = registry.pinned(means.claim.uri)
        if log.list_all(uri, registry.place(uri)):
            return Fetched(version, None, None)
    kept = resuming(registry, means.blobs, str(means.claim.resource_id))
    return copy_dataset(kept, means.claim.uri, means.blobs, means.settings, means.still_at_it)


@dataclass(frozen=True)
class _Log:
    """What a listing writes down, as long as the import is this process's. Every method raises ImportLost."""

    means: Means

    def is_wanted(self) -> bool:
        """Whether the data set is to stay where it is."""
        with self._held() as (_, row):
            return row.by_reference

    def list_all(self, uri: str, place: Place) -> bool:
        """Everything below it; False, and nothing, where that is tables or tars alone. Raises EgressFailure."""
        empty = 0
        for page in place.pages(self._begun(uri)):
            empty = 0 if page.objects else empty + 1
            if empty > MOST_EMPTY:
                raise malformed("it lists pages without an end")
            self._add(page)
        return self._ended()

    def _begun(self, uri: str) -> str | None:
        """Where the listing goes on; from now on that address is listed."""
        with self._held() as (session, row):
            row.uri = uri
            if row.cursor is None:
                _forget(session, row)
            return row.cursor

    def _add(self, page: Page) -> None:
        most = min(self.means.settings.max_entries, MOST_OBJECTS)
        with self._held() as (session, row):
            _insert(session, row, page.objects)
            row.listed, row.cursor = row.listed + len(page.objects), page.cursor
            row.next_at = clock(session) + LEASE
            if row.listed > most:
                detail = f"The folder has more than {most} files (MAX_ENTRIES): import it in parts."
                raise EgressFailure("answer-too-large", detail)

    def _ended(self) -> bool:
        with self._held() as (session, row):
            if not row.listed:
                raise EgressFailure("registry-not-found", "The folder has no files that can be read.")
            if _is_there(session, row, EXTENSIONS) or not _is_there(session, row, WITHIN):
                return True
            _forget(session, row)
            row.by_reference = False
            return False

    @contextmanager
    def _held(self) -> Iterator[tuple[Session, DatasetImportRow]]:
        claim = self.means.claim
        with transaction(self.means.engine) as session:
            row = session.get(DatasetImportRow, claim.resource_id, with_for_update=True)
            if row is None or row.attempts != claim.attempt:
                raise ImportLost
            yield session, row


def _forget(session: Session, row: DatasetImportRow) -> None:
    session.execute(delete(DatasetObjectRow).where(DatasetObjectRow.dataset_id == row.dataset_id))
    row.listed, row.cursor = 0, None


def _insert(session: Session, row: DatasetImportRow, objects: Sequence[Listed]) -> None:
    """Raises EgressFailure for what no store has."""
    for one in objects:
        check_listed(one)
    columns = {
        "number": list(range(row.listed, row.listed + len(objects))),
        "key": [one.key for one in objects],
        "pin": [one.pin for one in objects],
        "size": [one.size for one in objects],
    }
    session.execute(_INSERT, {"tenant_id": row.tenant_id, "dataset_id": row.dataset_id, **columns})


def _is_there(session: Session, row: DatasetImportRow, extensions: Iterable[str]) -> bool:
    """Whether any of the objects has such a name."""
    named = DatasetObjectRow.key.regexp_match(rf"\.({'|'.join(extensions)})$", flags="i")
    found = select(DatasetObjectRow.number).where(DatasetObjectRow.dataset_id == row.dataset_id, named).limit(1)
    return session.scalar(found) is not None
