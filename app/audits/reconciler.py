"""Reminds workers of what they may not have heard: a lost message costs time, never results."""

import logging
import threading
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, exists, func, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.audits.resends import count_resends
from app.db.session import transaction
from app.db.tables import AuditRow, DatasetRow, ModelRow, ShardRow
from app.domain.vocabulary import AuditStatus, ResourceStatus, ShardStatus
from app.errors import SalienceError
from app.queue import TaskName, TaskQueue

logger = logging.getLogger(__name__)

LOCK = 7_326_511_902_115
STALE = timedelta(seconds=15)
STALE_UPLOAD = timedelta(seconds=60)
MOST_AT_ONCE = 1000
LIVE = (AuditStatus.QUEUED, AuditStatus.RUNNING)

Message = tuple[TaskName, UUID]


class Reconciler:
    """A thread of the API process; of several processes, one at a time does the work."""

    def __init__(self, engine: Engine, queue: TaskQueue, interval_seconds: float) -> None:
        self._engine = engine
        self._queue = queue
        self._interval = interval_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.reconcile()
            except (SQLAlchemyError, SalienceError) as error:
                logger.warning("reconciler waits: %s", type(error).__name__)

    def reconcile(self) -> list[Message]:
        """One round; returns what was sent."""
        with transaction(self._engine) as session:
            if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
                return []
            urgent = [*_stale_uploads(session), *_stale_reduces(session)]
            shards = _stale_shards(session)
        # Where workers are busy and messages wait, another copy of each would only lengthen the line.
        missing = max(0, len(shards) - self._queue.depth()) if shards else 0
        messages = [*urgent, *shards[:missing]]
        for task, resource_id in messages:
            self._queue.send(task, resource_id)
        count_resends(self._engine, [task for task, _ in messages])
        return messages


def _stale_uploads(session: Session) -> list[Message]:
    """Touched as they are sent, so that each is sent again only after another while."""
    found: list[Message] = []
    for table, task in ((ModelRow, TaskName.VALIDATE_MODEL), (DatasetRow, TaskName.INDEX_DATASET)):
        stale = select(table.id).where(
            table.status == ResourceStatus.VALIDATING, table.updated_at < func.clock_timestamp() - STALE_UPLOAD
        )
        # A worker that is at it holds the row's lock.
        ids = session.scalars(stale.with_for_update(skip_locked=True)).all()
        session.execute(update(table).where(table.id.in_(ids)).values(updated_at=func.clock_timestamp()))
        found += [(task, resource_id) for resource_id in ids]
    return found


def _stale_shards(session: Session) -> list[Message]:
    """Queued for a while, or running under a lease that has run out; those that waited longest for a reminder.

    Only so many: a round stays short, and as long as that many messages wait no worker is idle.
    """
    now = func.clock_timestamp()
    queued = (ShardRow.status == ShardStatus.QUEUED) & (ShardRow.updated_at < now - STALE)
    expired = (ShardRow.status == ShardStatus.RUNNING) & (ShardRow.lease_expires_at < now)
    live = exists().where(AuditRow.id == ShardRow.audit_id, AuditRow.status.in_(LIVE))
    stale = select(ShardRow.id).where(or_(queued, expired & (ShardRow.updated_at < now - STALE)), live)
    oldest = stale.order_by(ShardRow.updated_at).limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
    ids = session.scalars(oldest).all()
    session.execute(update(ShardRow).where(ShardRow.id.in_(ids)).values(updated_at=now))
    return [(TaskName.RUN_SHARD, shard_id) for shard_id in ids]


def _stale_reduces(session: Session) -> list[Message]:
    """All shards done for a while, and still no results."""
    waiting = exists().where(ShardRow.audit_id == AuditRow.id, ShardRow.status != ShardStatus.DONE)
    recent = exists().where(ShardRow.audit_id == AuditRow.id, ShardRow.updated_at > func.clock_timestamp() - STALE)
    ids = session.scalars(select(AuditRow.id).where(AuditRow.status.in_(LIVE), ~waiting, ~recent))
    return [(TaskName.REDUCE_AUDIT, audit_id) for audit_id in ids]
