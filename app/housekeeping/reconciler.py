"""Reminds workers of what they may not have heard: a lost message costs time, never results."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, exists, func, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.db.counters import Tally, add
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import (
    AuditRow,
    ComparisonRow,
    DatasetRow,
    MapSetRow,
    ModelRow,
    RescoreRow,
    ShardRow,
    ViewArchiveRow,
)
from app.domain.vocabulary import LIVE, DeviceClass, OwedStatus, ResourceStatus, ShardStatus
from app.errors import SalienceError
from app.periodic import Periodic
from app.queue import MAX_WAKE_UPS, QUEUE_NAME, TaskName, TaskQueue, shard_queue

LOCK = 7_326_511_902_115
STALE_SECONDS = 15.0
"""How long a shard, a reduce, a comparison, a rescoring or an archive waits before its worker is reminded."""
STALE_UPLOAD = timedelta(seconds=60)

UPLOADS: dict[type[ModelRow | DatasetRow | MapSetRow], TaskName] = {
    ModelRow: TaskName.VALIDATE_MODEL,
    DatasetRow: TaskName.INDEX_DATASET,
    MapSetRow: TaskName.READ_MAP_SET,
}

Message = tuple[TaskName, UUID]


class Reconciler:
    """Of several processes, one at a time does the work."""

    def __init__(self, engine: Engine, queue: TaskQueue, stale_seconds: float = STALE_SECONDS) -> None:
        self._engine = engine
        self._queue = queue
        self._stale = timedelta(seconds=stale_seconds)

    def periodic(self, interval_seconds: float) -> Periodic:
        """The thread that calls ``reconcile``; the first time after one interval."""
        survives = (SQLAlchemyError, SalienceError)
        return Periodic("reconciler", self.reconcile, interval_seconds, survives, waits_first=True)

    def reconcile(self) -> None:
        """One round. A line of messages that workers have not come to yet is not made longer."""
        with transaction(self._engine) as session:
            if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
                return
            messages = [
                *_stale_uploads(session),
                *_stale_references(session),
                *_stale_reduces(session, self._stale),
                *_stale_documents(session, ComparisonRow, TaskName.COMPARE_AUDITS, self._stale),
                *_stale_documents(session, RescoreRow, TaskName.RESCORE_AUDIT, self._stale),
                *_stale_documents(session, ViewArchiveRow, TaskName.ARCHIVE_VIEWS, self._stale),
            ]
            waiting = _stale_shards(session, self._stale)
        sent: Counter[TaskName] = Counter()
        try:
            self._remind(messages, waiting, sent)
        finally:
            self._count(sent)

    def _remind(self, messages: list[Message], waiting: dict[DeviceClass, int], sent: Counter[TaskName]) -> None:
        """Adds to ``sent`` as it goes: a broker that goes away takes nothing back."""
        if messages and self._queue.depth_of(QUEUE_NAME) <= len(messages):
            for task, resource_id in messages:
                self._queue.send(task, resource_id)
                sent[task] += 1
        for device_class, shards in waiting.items():
            missing = min(shards, MAX_WAKE_UPS) - self._queue.depth_of(shard_queue(device_class))
            self._queue.wake_for_shards(device_class, missing)
            sent[TaskName.RUN_SHARD] += max(0, missing)

    def _count(self, sent: Mapping[TaskName, int]) -> None:
        """How many messages of each task were sent, for ``/metrics``."""
        amounts = {(Tally.RESENDS, str(task)): float(number) for task, number in sent.items() if number}
        if amounts:
            with transaction(self._engine) as session:
                add(session, new_id(), amounts)


def _stale_uploads(session: Session) -> list[Message]:
    """Touched as they are sent, so that each is sent again only after another while."""
    found: list[Message] = []
    for table, task in UPLOADS.items():
        stale = select(table.id).where(
            table.status == ResourceStatus.VALIDATING, table.updated_at < func.clock_timestamp() - STALE_UPLOAD
        )
        # A worker that is at it holds the row's lock.
        ids = session.scalars(stale.with_for_update(skip_locked=True)).all()
        session.execute(update(table).where(table.id.in_(ids)).values(updated_at=func.clock_timestamp()))
        found += [(task, resource_id) for resource_id in ids]
    return found


def _stale_references(session: Session) -> list[Message]:
    """Of models that are ready, and still nobody has looked at the predictions of the owner's own code."""
    stale = select(ModelRow.id).where(
        ModelRow.status == ResourceStatus.READY,
        ModelRow.reference_digest.is_not(None),
        ModelRow.fidelity.is_(None),
        ModelRow.updated_at < func.clock_timestamp() - STALE_UPLOAD,
    )
    ids = session.scalars(stale.with_for_update(skip_locked=True)).all()
    session.execute(update(ModelRow).where(ModelRow.id.in_(ids)).values(updated_at=func.clock_timestamp()))
    return [(TaskName.CHECK_REFERENCE, model_id) for model_id in ids]


def _stale_documents(
    session: Session, table: type[ComparisonRow | RescoreRow | ViewArchiveRow], task: TaskName, age: timedelta
) -> list[Message]:
    """Queued for a while; a worker that is at one holds its row's lock, or its lease."""
    now = func.clock_timestamp()
    stale = select(table.id).where(table.status == OwedStatus.QUEUED, table.updated_at < now - age)
    if table is ViewArchiveRow:
        lease = ViewArchiveRow.lease_expires_at
        stale = stale.where(or_(lease.is_(None), lease < now))
    ids = session.scalars(stale.with_for_update(skip_locked=True)).all()
    session.execute(update(table).where(table.id.in_(ids)).values(updated_at=now))
    return [(task, row_id) for row_id in ids]


def _stale_shards(session: Session, age: timedelta) -> dict[DeviceClass, int]:
    """How many are queued for a while, or running under a lease that has run out, by their audits' device class."""
    now = func.clock_timestamp()
    free = or_(ShardRow.lease_expires_at.is_(None), ShardRow.lease_expires_at < now)
    query = (
        select(AuditRow.device_class, func.count())
        .join(ShardRow, ShardRow.audit_id == AuditRow.id)
        .where(ShardRow.status != ShardStatus.DONE, free, ShardRow.updated_at < now - age)
        .where(AuditRow.status.in_(LIVE))
        .group_by(AuditRow.device_class)
    )
    return {device_class: shards for device_class, shards in session.execute(query)}  # noqa: C416 - dict() has no type


def _stale_reduces(session: Session, age: timedelta) -> list[Message]:
    """All shards done for a while, and still no results."""
    waiting = exists().where(ShardRow.audit_id == AuditRow.id, ShardRow.status != ShardStatus.DONE)
    recent = exists().where(ShardRow.audit_id == AuditRow.id, ShardRow.updated_at > func.clock_timestamp() - age)
    ids = session.scalars(select(AuditRow.id).where(AuditRow.status.in_(LIVE), ~waiting, ~recent))
    return [(TaskName.REDUCE_AUDIT, audit_id) for audit_id in ids]
