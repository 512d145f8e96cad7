"""What a worker writes down while it looks into the objects of a listing: in batches, as long as that is its own."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, transaction
from app.db.tables import DatasetImportRow, DatasetRow
from app.domain.vocabulary import ResourceStatus
from app.errors import EgressFailure, InputFailure, QuotaExceeded
from app.sources.objects import NewObject, add_objects, check_quota, forget_within
from worker.intake.samples import in_batches
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import Lease, LeaseLost

BATCH = 1000
TURN_SECONDS = 60.0


class OpeningPaused(Exception):
    """It is others' turn: what is left is opened when the message comes again."""


@dataclass
class OpeningLog:
    """Of one data set. Every method but `begin` raises LeaseLost; whoever goes on goes on where this one stopped."""

    context: WorkerContext
    dataset_id: UUID
    tenant_id: UUID
    opening: int
    _began_at: float = field(default_factory=time.monotonic)
    _lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self._lease = Lease(self.context, self._extend, of=f"data set {self.dataset_id}")

    @classmethod
    def begin(cls, context: WorkerContext, dataset_id: UUID) -> "OpeningLog | None":
        """None where another worker is at it, or nobody may be."""
        row, now = DatasetImportRow, func.clock_timestamp()
        free = or_(row.opening_until.is_(None), row.opening_until < now)
        query = select(row).join(DatasetRow, DatasetRow.id == row.dataset_id)
        query = query.where(row.dataset_id == dataset_id, DatasetRow.status == ResourceStatus.VALIDATING, free)
        with transaction(context.engine) as session:
            found = session.scalar(query.with_for_update(skip_locked=True, of=row))
            if found is None:
                return None
            found.openings += 1
            found.opening_until = now + timedelta(seconds=context.settings.lease_seconds)
            return cls(context, dataset_id, found.tenant_id, found.openings)

    @contextmanager
    def held(self) -> Iterator[tuple[Session, DatasetImportRow]]:
        """The import's row, locked, in a transaction of the tenant's."""
        with transaction(TenantEngine(self.context.engine, self.tenant_id)) as session:
            row = session.get(DatasetImportRow, self.dataset_id, with_for_update=True)
            if row is None or row.openings != self.opening:
                raise LeaseLost
            row.opening_until = func.clock_timestamp() + timedelta(seconds=self.context.settings.lease_seconds)
            yield session, row

    def keep(self) -> None:
        """Called again and again while something is read. Raises WorkerStopping too."""
        self._lease.keep()

    def check_turn(self) -> None:
        """Between two objects: audits must not wait for a listing of a thousand shards. Raises OpeningPaused."""
        if time.monotonic() - self._began_at > TURN_SECONDS:
            raise OpeningPaused

    def note_within(self, container: int, found: Iterable[NewObject]) -> None:
        """All that lies within one object, by batches. Raises InputFailure where it is more than there may be."""
        with self.held() as (session, row):
            forget_within(session, row, container)
        for batch in in_batches(self._keeping(found), BATCH):
            with self.held() as (session, row), refused():
                add_objects(session, row, batch, self.context.settings)
        with self.held() as (session, row), refused():
            check_quota(session, row, self.context.settings)

    def end(self) -> None:
        """Nobody is at it any more."""
        with self.held() as (_, row):
            row.opening_until = None

    def _extend(self, session: Session, seconds: float) -> bool:
        row = DatasetImportRow
        kept = update(row).where(row.dataset_id == self.dataset_id, row.openings == self.opening)
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        return session.scalar(kept.values(opening_until=until).returning(row.dataset_id)) is not None

    def _keeping(self, found: Iterable[NewObject]) -> Iterator[NewObject]:
        for one in found:
            self.keep()
            yield one


@contextmanager
def refused() -> Iterator[None]:
    """What is told a request, or an import, is here the data set's own problem."""
    try:
        yield
    except (EgressFailure, QuotaExceeded) as failure:
        raise InputFailure(failure.code, failure.detail) from failure
