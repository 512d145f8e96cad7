"""The reconciler sends as many wake-ups as shards wait in the database, and no more, on real Postgres and Valkey."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import Engine, func, text, update

from app.db.session import transaction
from app.db.tables import AuditRow, ShardRow
from app.domain.vocabulary import AuditStatus, DeviceClass, ResourceStatus, ShardStatus
from app.housekeeping.reconciler import Reconciler
from app.queue import MAX_WAKE_UPS, PRIORITIES, TaskName, TaskQueue, shard_queue
from tests.factories import audit_row, dataset_row, shard_rows

LONG_AGO = func.clock_timestamp() - text("interval '1 minute'")
PRIORITY = PRIORITIES[TaskName.RUN_SHARD]


@pytest.fixture
def queue(broker_url: str) -> Iterator[TaskQueue]:
    """A broker database of its own, empty."""
    url = broker_url.rpartition("/")[0] + "/7"
    with Redis.from_url(url) as redis:
        redis.flushdb()
        queue = TaskQueue(url)
        yield queue
        queue.close()
        redis.flushdb()


@pytest.fixture
def reconciler(engine: Engine, queue: TaskQueue) -> Reconciler:
    return Reconciler(engine, queue)


def add_audit(engine: Engine, shards: int, device_class: DeviceClass = DeviceClass.CPU) -> UUID:
    """Its shards wait for a minute already."""
    with transaction(engine) as session:
        session.add(dataset := dataset_row(status=ResourceStatus.READY))
        session.flush()
        session.add(audit := audit_row(dataset.id, device_class=device_class, sample_count=shards))
        session.flush()
        session.add_all(shard_rows(audit.id, count=shards))
        session.flush()
        session.execute(update(ShardRow).values(updated_at=LONG_AGO))
        return audit.id


def set_shards(engine: Engine, audit_id: UUID, below: int, **values: Any) -> None:
    with transaction(engine) as session:
        chosen = (ShardRow.audit_id == audit_id) & (ShardRow.ordinal < below)
        session.execute(update(ShardRow).where(chosen).values({"updated_at": LONG_AGO} | values))


def sent(queue: TaskQueue) -> list[int]:
    return [queue.depth_of(shard_queue(kind)) for kind in DeviceClass]


def test_as_often_as_shards_wait_on_each_class(engine: Engine, queue: TaskQueue, reconciler: Reconciler) -> None:
    add_audit(engine, 3)
    add_audit(engine, 4)
    add_audit(engine, 2, DeviceClass.GPU)
    for _ in range(3):
        reconciler.reconcile()
        assert sent(queue) == [7, 2]
    assert queue.depth() == 9


def test_it_fills_up_what_is_missing(engine: Engine, queue: TaskQueue, reconciler: Reconciler) -> None:
    add_audit(engine, 5)
    queue.wake_for_shards(DeviceClass.CPU, 3)
    reconciler.reconcile()
    assert sent(queue) == [5, 0]


def test_shards_at_work_done_or_of_ended_audits_need_no_bell(
    engine: Engine, queue: TaskQueue, reconciler: Reconciler
) -> None:
    audit, ended = add_audit(engine, 6), add_audit(engine, 3)
    later = func.clock_timestamp() + text("interval '1 minute'")
    set_shards(engine, audit, 5, status=ShardStatus.RUNNING, lease_expires_at=LONG_AGO)
    set_shards(engine, audit, 4, status=ShardStatus.RUNNING, lease_expires_at=later)
    set_shards(engine, audit, 2, status=ShardStatus.DONE, lease_expires_at=None)
    with transaction(engine) as session:
        session.execute(update(AuditRow).where(AuditRow.id == ended).values(status=AuditStatus.CANCELLED))
    reconciler.reconcile()
    # One is queued, one has lost its worker.
    assert sent(queue) == [2, 0]


def test_new_shards_have_their_own_bells(engine: Engine, queue: TaskQueue, reconciler: Reconciler) -> None:
    audit = add_audit(engine, 3)
    set_shards(engine, audit, 3, updated_at=func.clock_timestamp())
    reconciler.reconcile()
    assert sent(queue) == [0, 0]


def test_a_huge_audit_does_not_flood_the_broker(engine: Engine, queue: TaskQueue, reconciler: Reconciler) -> None:
    add_audit(engine, MAX_WAKE_UPS + 200)
    queue.wake_for_shards(DeviceClass.CPU, MAX_WAKE_UPS + 200)
    assert sent(queue) == [MAX_WAKE_UPS, 0]
    reconciler.reconcile()
    assert sent(queue) == [MAX_WAKE_UPS, 0]
