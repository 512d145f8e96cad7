"""Lists the files of a data set by reference into rows, page by page; whoever goes on goes on where it stopped."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, clock, transaction
from app.db.tables import DatasetImportRow, DatasetObjectRow
from app.egress.answers import malformed
from app.errors import EgressFailure
from app.imports.claims import LEASE, Claim, ImportLost
from app.imports.packing import copy_dataset, is_range, names_of_range
from app.imports.resuming import resuming
from app.imports.storing import Fetched, StillAtIt
from app.registries.base import Registry
from app.registries.listed import Listable, Page, Place
from app.registries.places import place_of
from app.settings import Settings
from app.sources.objects import NewObject, add_objects, check_quota, forget_listing
from app.storage.blobs import BlobStore

MOST_EMPTY = 10_000
"""Pages in a row without an object: of old versions alone, or of a server that never comes to an end."""


@dataclass(frozen=True)
class Means:
    """What a fetch works with."""

    engine: Engine
    blobs: BlobStore
    settings: Settings
    claim: Claim
    still_at_it: StillAtIt


def fetch_dataset(registry: Registry, means: Means) -> Fetched:
    """A folder, or a range of its shards, is listed where that was not refused; whatever else is copied.

    Raises EgressFailure.
    """
    folder, archive = place_of(means.claim.uri)
    log = _Log(means)
    if (archive is None or is_range(archive)) and log.is_wanted() and isinstance(registry, Listable):
        pinned, version = registry.pinned(folder)
        uri = pinned if archive is None else f"{pinned}/{archive}"
        only = None if archive is None else dict.fromkeys(names_of_range(archive))
        log.list_all(uri, registry.place(pinned), only)
        return Fetched(version, archive, None)
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

    def list_all(self, uri: str, place: Place, only: Collection[str] | None) -> None:
        """Everything below it, or only these files. Raises EgressFailure."""
        empty = 0
        for page in place.pages(self._begun(uri)):
            empty = 0 if page.objects else empty + 1
            if empty > MOST_EMPTY:
                raise malformed("it lists pages without an end")
            self._add(page, only)
        self._check_ended(only)

    def _begun(self, uri: str) -> str | None:
        """Where the listing goes on; from now on that address is listed."""
        with self._held() as (session, row):
            row.uri = uri
            if row.cursor is None:
                forget_listing(session, row)
            return row.cursor

    def _add(self, page: Page, only: Collection[str] | None) -> None:
        objects = [one for one in page.objects if only is None or one.key in only]
        with self._held() as (session, row):
            # A page is what an import came to: whoever goes on goes on behind it.
            row.cursor, row.next_at, row.unexplained = page.cursor, clock(session) + LEASE, 0
            add_objects(session, row, [NewObject(one.key, one.size, one.pin) for one in objects], self.means.settings)

    def _check_ended(self, only: Collection[str] | None) -> None:
        with self._held() as (session, row):
            if only is not None and row.listed != len(only):
                _refuse_missing(session, row, only)
            if not row.listed:
                raise EgressFailure("registry-not-found", "The folder has no files that can be read.")
            check_quota(session, row, self.means.settings)

    @contextmanager
    def _held(self) -> Iterator[tuple[Session, DatasetImportRow]]:
        claim = self.means.claim
        with transaction(TenantEngine(self.means.engine, claim.tenant_id)) as session:
            row = session.get(DatasetImportRow, claim.resource_id, with_for_update=True)
            if row is None or row.attempts != claim.attempt:
                raise ImportLost
            yield session, row


def _refuse_missing(session: Session, row: DatasetImportRow, only: Collection[str]) -> None:
    """Raises EgressFailure, which names the first of those that are not there."""
    listed = set(session.scalars(select(DatasetObjectRow.key).where(DatasetObjectRow.dataset_id == row.dataset_id)))
    missing = next((name for name in only if name not in listed), "")
    raise EgressFailure("registry-not-found", f"The folder has no {missing[-200:]}.")
