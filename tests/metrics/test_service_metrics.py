"""Numbers of work in the database: counted once, kept for good, read cheaply."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, delete, func, select, text, update
from sqlalchemy.orm import Session

from app.db.counters import Tally, add, shard_seconds_label, totals
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import AuditRow, AuditUsageRow, SampleRow, SampleScoresRow, ShardRow
from app.domain.vocabulary import AuditStatus, ResourceStatus, ShardStatus
from app.metrics.families import SnapshotCollector
from app.metrics.repository import Snapshot, read_snapshot
from tests.factories import audit_row, dataset_row, model_row, sample_row, shard_rows
from worker.shards.store import Claim, claim_shard, release_shard, save_scores

SAMPLES = 4


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def shards(engine: Engine) -> list[UUID]:
    """Two waiting shards of an audit that was accepted a hundred seconds ago."""
    with transaction(engine) as session:
        session.add(dataset := dataset_row(status=ResourceStatus.READY, sample_count=2 * SAMPLES))
        session.add(model_row(status=ResourceStatus.REJECTED))
        session.flush()
        session.add(sample_row(dataset.id))
        session.add(audit := audit_row(dataset.id, sample_count=2 * SAMPLES))
        session.flush()
        session.execute(update(AuditRow).values(created_at=text("now() - interval '100 seconds'")))
        session.add_all(waiting := shard_rows(audit.id, count=2, size=SAMPLES))
        return [shard.id for shard in waiting]


def claim(engine: Engine, shard_id: UUID, lease_seconds: float = 60) -> Claim:
    with transaction(engine) as session:
        claimed = claim_shard(session, shard_id, "worker", lease_seconds)
    assert isinstance(claimed, Claim)
    return claimed


def rows(engine: Engine, claimed: Claim) -> list[dict[str, object]]:
    with Session(engine) as session:
        sample_id = session.query(SampleRow.id).scalar()
    return [
        {"audit_id": claimed.audit_id, "model_ordinal": 0, "ordinal": ordinal, "sample_id": sample_id, "scores": [0.5]}
        for ordinal in range(claimed.start, claimed.stop)
    ]


def save(engine: Engine, claimed: Claim) -> bool:
    with transaction(engine) as session:
        return save_scores(session, claimed, rows(engine, claimed))


def snapshot(engine: Engine) -> Snapshot:
    with Session(engine) as session:
        return read_snapshot(session)


def shown(engine: Engine) -> dict[str, float]:
    """Every sample, by its name with labels as Prometheus writes them."""
    return {
        sample.name + ",".join(f"{{{key}={value}}}" for key, value in sample.labels.items()): sample.value
        for family in SnapshotCollector(snapshot(engine), {"some_queue": 3}).collect()
        for sample in family.samples
    }


def test_waiting_work(engine: Engine, shards: list[UUID]) -> None:
    found = shown(engine)
    assert found["salience_audit_audits{status=queued}"] == 1
    assert found["salience_audit_shards{status=queued}"] == 2
    assert found["salience_audit_shards{status=done}"] == 0
    assert found["salience_audit_resources{kind=model},{status=rejected}"] == 1
    assert found["salience_audit_resources{kind=dataset},{status=ready}"] == 1
    assert found["salience_audit_queue_depth{queue=some_queue}"] == 3
    assert 100 <= found["salience_audit_oldest_waiting_shard_seconds"] < 160
    for shard_id in shards:
        claim(engine, shard_id)
    assert shown(engine)["salience_audit_oldest_waiting_shard_seconds"] == 0
    assert shown(engine)["salience_audit_busy_workers"] == 1


def test_a_shard_is_counted_once(engine: Engine, shards: list[UUID]) -> None:
    claimed = claim(engine, shards[0])
    with transaction(engine) as session:
        session.execute(update(ShardRow).values(claimed_at=ShardRow.claimed_at - text("interval '21 seconds'")))
    assert save(engine, claimed)
    assert not save(engine, claimed)
    found = shown(engine)
    assert found["salience_audit_samples_scored_total"] == SAMPLES
    assert found["salience_audit_shard_seconds_count"] == 1
    assert 21 <= found["salience_audit_shard_seconds_sum"] < 30
    assert found["salience_audit_shard_seconds_bucket{le=20}"] == 0
    assert found["salience_audit_shard_seconds_bucket{le=30}"] == 1
    assert found["salience_audit_shard_seconds_bucket{le=+Inf}"] == 1
    assert found["salience_audit_shard_retries_total"] == 0
    assert found["salience_audit_samples_per_second"] == pytest.approx(SAMPLES / 60)


def test_a_shard_is_charged_once_to_its_audit(engine: Engine, shards: list[UUID]) -> None:
    claims = [claim(engine, shard_id) for shard_id in shards]
    with transaction(engine) as session:
        session.add_all(
            AuditUsageRow(audit_id=audit_id, reserved_seconds=1.0) for audit_id in (claims[0].audit_id, new_id())
        )
        session.execute(update(ShardRow).values(claimed_at=ShardRow.claimed_at - text("interval '25 seconds'")))
    assert [save(engine, claimed) for claimed in (*claims, *claims)] == [True, True, False, False]
    with Session(engine) as session:
        used = {row.audit_id: row.used_seconds for row in session.scalars(select(AuditUsageRow))}
        taken = session.scalar(select(func.sum(func.extract("epoch", ShardRow.finished_at - ShardRow.claimed_at))))
    assert used.pop(claims[0].audit_id) == pytest.approx(float(taken or 0), abs=1e-6)
    assert list(used.values()) == [0.0]


def test_a_database_that_has_not_been_migrated_yet_keeps_its_shards(engine: Engine, shards: list[UUID]) -> None:
    """A newer worker comes before the newer API."""
    with transaction(engine) as session:
        session.execute(text("DROP TABLE audit_usage"))
    assert save(engine, claim(engine, shards[0]))
    assert shown(engine)["salience_audit_samples_scored_total"] == SAMPLES


def test_a_transaction_that_fails_counts_nothing(engine: Engine, shards: list[UUID]) -> None:
    claimed = claim(engine, shards[0])
    with Session(engine) as session:
        save_scores(session, claimed, rows(engine, claimed))
        session.rollback()
    assert shown(engine)["salience_audit_samples_scored_total"] == 0


def test_retries_and_lost_workers(engine: Engine, shards: list[UUID]) -> None:
    first = claim(engine, shards[0])
    with transaction(engine) as session:
        release_shard(session, first, counted=True)
    claim(engine, shards[0])
    assert shown(engine)["salience_audit_shard_retries_total"] == 1
    assert shown(engine)["salience_audit_shard_crashes_total{kind=worker}"] == 0
    claim(engine, shards[1], lease_seconds=0)
    claim(engine, shards[1])
    assert shown(engine)["salience_audit_shard_retries_total"] == 2
    assert shown(engine)["salience_audit_shard_crashes_total{kind=worker}"] == 1


def test_an_attempt_that_does_not_count_is_no_retry(engine: Engine, shards: list[UUID]) -> None:
    first = claim(engine, shards[0])
    with transaction(engine) as session:
        release_shard(session, first, counted=False)
    claim(engine, shards[0])
    assert shown(engine)["salience_audit_shard_retries_total"] == 0


def test_a_shard_that_starts_over_is_at_work_again(engine: Engine, shards: list[UUID]) -> None:
    """Out of GPU memory, a whole audit starts over: then what was finished is not."""
    first = claim(engine, shards[0])
    save(engine, first)
    with transaction(engine) as session:
        session.execute(delete(SampleScoresRow))
        session.execute(update(ShardRow).values(status=ShardStatus.QUEUED, samples_done=0))
    claim(engine, shards[0])
    with Session(engine) as session:
        assert session.get_one(ShardRow, shards[0]).finished_at is None
    assert snapshot(engine).samples_per_second == 0
    assert shown(engine)["salience_audit_busy_workers"] == 1


def test_counters_outlive_what_they_counted(engine: Engine, shards: list[UUID]) -> None:
    save(engine, claim(engine, shards[0]))
    with transaction(engine) as session:
        session.execute(delete(AuditRow))
    found = shown(engine)
    assert found["salience_audit_samples_scored_total"] == SAMPLES
    assert found["salience_audit_shards{status=done}"] == 0


def test_speed_counts_what_lies_in_the_window(engine: Engine, shards: list[UUID]) -> None:
    claimed = claim(engine, shards[0])
    save(engine, claimed)
    claim(engine, shards[1])
    begun = time.monotonic()
    with transaction(engine) as session:
        # Half of the first one's two minutes lie within the last one; the second is 2 of 4 samples into its 10 seconds.
        ages = {shards[0]: "120 seconds", shards[1]: "10 seconds"}
        for shard_id, age in ages.items():
            started = text(f"clock_timestamp() - interval '{age}'")
            session.execute(update(ShardRow).where(ShardRow.id == shard_id).values(claimed_at=started))
        session.execute(update(ShardRow).where(ShardRow.id == shards[1]).values(samples_done=2))
    found = snapshot(engine).samples_per_second
    # However long the machine stood still in between: the second one's 10 seconds are as much longer.
    assert found == pytest.approx((SAMPLES / 2 + 2) / 60, rel=0.05 + (time.monotonic() - begun) / 10)


def test_many_at_once_lose_nothing(engine: Engine) -> None:
    def count(_: int) -> None:
        with transaction(engine) as session:
            add(
                session, new_id(), {(Tally.SAMPLES, ""): 1.0, (Tally.SHARDS_WITHIN, "1"): 1.0, (Tally.RETRIES, ""): 1.0}
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(400)))
    with Session(engine) as session:
        found = totals(session)
        used = session.scalar(text("SELECT count(DISTINCT slot) FROM counters"))
    assert found == {(Tally.SAMPLES, ""): 400, (Tally.SHARDS_WITHIN, "1"): 400, (Tally.RETRIES, ""): 400}
    assert used is not None
    assert used > 16


def test_bounds_of_the_histogram() -> None:
    assert [shard_seconds_label(seconds) for seconds in (0, 1, 1.001, 1800, 1801)] == ["1", "1", "2", "1800", "+Inf"]


def test_a_scrape_reads_no_score(engine: Engine, shards: list[UUID]) -> None:
    """Ten million score rows cost it nothing if it never looks at one."""
    save(engine, claim(engine, shards[0]))

    def looks(session: Session) -> int:
        session.execute(text("SELECT pg_stat_force_next_flush()"))
        session.commit()
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        name = SampleScoresRow.__tablename__
        query = text("SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = :name")
        return int(session.scalar(query, {"name": name}) or 0)

    with Session(engine) as session:
        session.execute(text("SELECT count(*) FROM sample_scores"))
        before = looks(session)
        read_snapshot(session)
        assert looks(session) == before
        session.execute(text("SELECT count(*) FROM sample_scores"))
        assert looks(session) == before + 1


def test_statuses_are_the_enums(engine: Engine) -> None:
    found = snapshot(engine)
    assert set(found.audits) == set(AuditStatus)
    assert set(found.shards) == set(ShardStatus)
