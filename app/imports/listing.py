"""Lists the files of a data set by reference into rows, page by page; whoever goes on goes on where it stopped."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import commonprefix

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, clock, transaction
from app.db.tables import DatasetImportRow, DatasetObjectRow
from app.egress.answers import malformed
from app.errors import EgressFailure
from app.imports.claims import LEASE, ImportLost, Means
from app.imports.packing import copy_dataset, names_of
from app.imports.resuming import resuming
from app.imports.storing import Fetched
from app.registries.base import Registry
from app.registries.listed import Listable, Page, Place
from app.registries.places import READ_IN_PLACE, place_of
from app.sources.objects import NewObject, add_objects, check_quota, copy_instead, forget_listing

OF_OTHER_KINDS = "of archives .tar and .parquet alone are read where they lie"
OF_WEB_SERVERS = "a web server's file is pinned by the digest of the whole, which no part of it shows"
MOST_EMPTY = 10_000
"""Pages in a row without an object: of old versions alone, or of a server that never comes to an end."""


def fetch_dataset(registry: Registry, means: Means) -> Fetched:
    """What can be read where it lies is listed, where that was not refused; whatever else is copied.

    Raises EgressFailure.
    """
    folder, file = place_of(means.claim.uri)
    log = _Log(means)
    if log.is_wanted():
        if isinstance(registry, Listable) and (file is None or file.lower().endswith(READ_IN_PLACE)):
            pinned, version = registry.pinned(folder)
            uri = pinned if file is None else means.claim.uri.replace(folder, pinned, 1)
            log.list_all(uri, registry.place(pinned), None if file is None else dict.fromkeys(names_of(file)))
            return Fetched(version, file, None)
        log.copy_instead(OF_OTHER_KINDS if isinstance(registry, Listable) else OF_WEB_SERVERS)
    with resuming(registry, means) as kept:
        return copy_dataset(kept, means.claim.uri, means.blobs, means.settings, means.turn)


@dataclass(frozen=True)
class _Log:
    """What a listing writes down, as long as the import is this process's. Every method raises ImportLost."""

    means: Means

    def is_wanted(self) -> bool:
        """Whether the data set is to stay where it is."""
        with self._held() as (_, row):
            return row.by_reference

    def copy_instead(self, why: str) -> None:
        with self._held() as (session, row):
            copy_instead(session, row, why)

    def list_all(self, uri: str, place: Place, only: Collection[str] | None) -> None:
        """Everything below it, or only these files. Raises EgressFailure."""
        empty = 0
        alike = commonprefix([*(only or ())])  # noqa: RUF071 - letter by letter, as a store lists them
        for page in place.pages(self._begun(uri), alike):
            empty = 0 if page.objects else empty + 1
            if empty > MOST_EMPTY:
                raise malformed("it lists pages without an end")
            self._add(page, only)
            self.means.turn.goes_on = page.cursor is not None
            self.means.turn.let_others_in()
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
