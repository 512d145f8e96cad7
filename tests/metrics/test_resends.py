"""The reconciler sends what is missing, not what waits; each message that it sends again is counted."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text, update
from sqlalchemy.orm import Session

from app.db.counters import Tally, totals
from app.db.session import transaction
from app.db.tables import ModelRow, ShardRow
from app.domain.vocabulary import ResourceStatus
from app.housekeeping.reconciler import Reconciler
from app.queue import MAX_WAKE_UPS, TaskName, TaskQueue
from tests.factories import audit_row, dataset_row, model_row, shard_rows


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def broker(broker_url: str) -> Iterator[str]:
    """A database of the broker that no other test uses."""
    url = broker_url.rpartition("/")[0] + "/9"
    with Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def reconciler(engine: Engine, broker: str) -> Iterator[Reconciler]:
    queue = TaskQueue(broker)
    yield Reconciler(engine, queue)
    queue.close()


def fill(engine: Engine, shards: int) -> None:
    with transaction(engine) as session:
        session.add(dataset := dataset_row(status=ResourceStatus.READY))
        session.flush()
        session.add(audit := audit_row(dataset.id, sample_count=shards))
        session.flush()
        session.add_all(shard_rows(audit.id, count=shards))
    age(engine)


def age(engine: Engine) -> None:
    """As if nobody had touched anything for two minutes."""
    with transaction(engine) as session:
        for table in (ShardRow, ModelRow):
            session.execute(update(table).values(updated_at=text("now() - interval '2 minutes'")))


def counted(engine: Engine, task: TaskName) -> float:
    with Session(engine) as session:
        return totals(session).get((Tally.RESENDS, task), 0)


def test_wake_ups_that_wait_are_not_sent_again(engine: Engine, reconciler: Reconciler, broker: str) -> None:
    fill(engine, 3)
    for _ in range(2):
        reconciler.reconcile()
        assert counted(engine, TaskName.RUN_SHARD) == 3
    with Redis.from_url(broker) as client:
        (key,) = (key for key in client.scan_iter() if client.type(key) == b"list")
        client.lpop(key)
    reconciler.reconcile()
    assert counted(engine, TaskName.RUN_SHARD) == 4
    with Redis.from_url(broker) as client:
        client.flushdb()
    reconciler.reconcile()
    assert counted(engine, TaskName.RUN_SHARD) == 7
    assert counted(engine, TaskName.VALIDATE_MODEL) == 0


def test_an_upload_does_not_wait_for_the_line(engine: Engine, reconciler: Reconciler) -> None:
    fill(engine, 3)
    reconciler.reconcile()
    with transaction(engine) as session:
        session.add(model_row(status=ResourceStatus.VALIDATING))
    age(engine)
    reconciler.reconcile()
    assert counted(engine, TaskName.VALIDATE_MODEL) == 1
    assert counted(engine, TaskName.RUN_SHARD) == 3


def test_a_round_has_an_end(engine: Engine, reconciler: Reconciler) -> None:
    fill(engine, MAX_WAKE_UPS + 5)
    for _ in range(2):
        reconciler.reconcile()
        assert counted(engine, TaskName.RUN_SHARD) == MAX_WAKE_UPS
