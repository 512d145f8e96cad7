"""Which shard a worker gets next: audits take turns, whoever wakes it, and each shard is given away once."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, func, select, text, update

from app.access.repository import tenant_named
from app.db.session import transaction, write_for
from app.db.tables import DEFAULT_TENANT, AuditRow, SampleScoresRow, ShardRow, WorkerRow
from app.domain.vocabulary import AuditStatus, DeviceClass, ResourceStatus, ShardStatus
from tests.factories import audit_row, dataset_row, sample_row, shard_rows
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.presence import announce
from worker.machine.processor import processor_of
from worker.results.reducer import _software
from worker.shards.store import Claim, claim_next_shard, claim_shard, extend_lease, release_shard, save_scores


def add_audit(
    engine: Engine, shards: int, device_class: DeviceClass = DeviceClass.CPU, tenant_id: UUID = DEFAULT_TENANT
) -> UUID:
    """With shards of one sample each."""
    with transaction(engine) as session:
        write_for(session, tenant_id)
        session.add(dataset := dataset_row(status=ResourceStatus.READY))
        session.flush()
        session.add(sample_row(dataset.id, id=dataset.id))
        session.add(audit := audit_row(dataset.id, device_class=device_class, sample_count=shards))
        session.flush()
        session.add_all(shard_rows(audit.id, count=shards))
        return audit.id


def claim(engine: Engine, device_class: DeviceClass = DeviceClass.CPU) -> Claim:
    with transaction(engine) as session:
        found = claim_next_shard(session, device_class, "worker", 60)
    assert found is not None
    return found


def nothing_left(engine: Engine, device_class: DeviceClass = DeviceClass.CPU) -> bool:
    with transaction(engine) as session:
        return claim_next_shard(session, device_class, "worker", 60) is None


def finish(engine: Engine, held: Claim) -> bool:
    with transaction(engine) as session:
        audit = session.get_one(AuditRow, held.audit_id)
        place = {"audit_id": audit.id, "model_ordinal": 0, "ordinal": held.start, "sample_id": audit.dataset_id}
        return save_scores(session, held, [place | {"scores": [0.5]}])


def change_shard(engine: Engine, held: Claim, **values: Any) -> None:
    with transaction(engine) as session:
        session.execute(update(ShardRow).where(ShardRow.id == held.shard_id).values(**values))


def test_one_worker_serves_audits_limiteds(engine: Engine) -> None:
    """The long one came first; the short one starts with the next free worker and is done after two turns."""
    long = add_audit(engine, 6)
    order = []
    for turn in range(8):
        if turn == 2:
            short = add_audit(engine, 2)
        held = claim(engine)
        order.append((held.audit_id, held.start))
        assert finish(engine, held)
    names = {long: "long", short: "short"}
    assert [(names[audit], start) for audit, start in order] == [
        ("long", 0),
        ("long", 1),
        ("short", 0),
        ("long", 2),
        ("short", 1),
        ("long", 3),
        ("long", 4),
        ("long", 5),
    ]
    assert nothing_left(engine)


def test_ten_thousand_audits_of_one_tenant_and_one_of_another(engine: Engine) -> None:
    """The other one's has the next worker that becomes free, and then every second turn."""
    crowd = [add_audit(engine, 1) for _ in range(5)]
    with transaction(engine) as session:
        many = "INSERT INTO audits (id, dataset_id, status, protocol, protocol_digest, sample_count, device_class,"
        many += " cancel_requested) SELECT uuidv7(), dataset_id, status, protocol, protocol_digest, 1, device_class,"
        many += " false FROM audits CROSS JOIN generate_series(1, 2000)"
        session.execute(text(many))
        shards = "INSERT INTO shards (id, audit_id, ordinal, start, stop, status, attempt, samples_done)"
        shards += " SELECT uuidv7(), id, 0, 0, 1, 'queued', 0, 0 FROM audits"
        session.execute(text(f"{shards} WHERE id NOT IN (SELECT audit_id FROM shards)"))
        other = tenant_named(session, "other").id
    with transaction(engine) as session:
        session.execute(text("ANALYZE audits, shards"))
    assert finish(engine, claim(engine))
    late = add_audit(engine, 3, tenant_id=other)
    order = []
    for _ in range(6):
        held = claim(engine)
        order.append(held.audit_id == late)
        assert finish(engine, held)
    assert order == [True, False] * 3
    assert crowd


def test_workers_are_shared_out_evenly(engine: Engine) -> None:
    audits = [add_audit(engine, 20) for _ in range(3)]
    held = [claim(engine) for _ in range(7)]
    assert Counter(one.audit_id for one in held) == {audits[0]: 3, audits[1]: 2, audits[2]: 2}
    late = add_audit(engine, 20)
    # Whoever becomes free works for the one that has nobody, until it has as many as the others.
    assert [claim(engine).audit_id for _ in range(3)] == [late, late, audits[1]]


def test_a_dead_workers_shard_weighs_nothing_and_comes_first(engine: Engine) -> None:
    crashed, other = add_audit(engine, 2), add_audit(engine, 2)
    dead = claim(engine)
    change_shard(engine, dead, lease_expires_at=func.clock_timestamp() - text("interval '1 second'"))
    assert claim(engine).audit_id == other
    again = claim(engine)
    assert (again.shard_id, again.attempt, again.audit_id) == (dead.shard_id, 2, crashed)
    assert not finish(engine, dead)
    assert finish(engine, again)


def test_each_shard_is_given_away_once_however_many_ask(engine: Engine) -> None:
    audits = [add_audit(engine, 25) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        held = list(pool.map(lambda _: claim(engine), range(100)))
    assert len({one.shard_id for one in held}) == 100
    assert {one.attempt for one in held} == {1}
    assert Counter(one.audit_id for one in held) == dict.fromkeys(audits, 25)
    assert nothing_left(engine)


def test_a_message_too_many_changes_nothing(engine: Engine) -> None:
    add_audit(engine, 1)
    held = claim(engine)
    assert nothing_left(engine)
    with transaction(engine) as session:
        assert claim_shard(session, held.shard_id, "other", 60) is None
        assert extend_lease(session, held, 0, 60)
    assert finish(engine, held)
    assert nothing_left(engine)


@pytest.mark.parametrize("status", [AuditStatus.CANCELLED, AuditStatus.FAILED, AuditStatus.SUCCEEDED])
def test_audits_that_have_ended_are_not_served(engine: Engine, status: AuditStatus) -> None:
    ended = add_audit(engine, 3)
    with transaction(engine) as session:
        session.execute(update(AuditRow).where(AuditRow.id == ended).values(status=status))
    assert nothing_left(engine)


def test_each_device_class_has_its_own(engine: Engine) -> None:
    on_cpu, on_gpu = add_audit(engine, 1), add_audit(engine, 1, DeviceClass.GPU)
    assert claim(engine, DeviceClass.GPU).audit_id == on_gpu
    assert nothing_left(engine, DeviceClass.GPU)
    assert claim(engine).audit_id == on_cpu


def test_a_shard_that_met_a_passing_fault_pauses(engine: Engine) -> None:
    add_audit(engine, 1)
    held = claim(engine)
    with transaction(engine) as session:
        release_shard(session, held, counted=True, pause_seconds=3600)
    assert nothing_left(engine)
    with transaction(engine) as session:
        pause = session.scalar(select(ShardRow.lease_expires_at - func.clock_timestamp()))
        assert pause is not None
        assert 3000 < pause.total_seconds() <= 3600
    change_shard(engine, held, lease_expires_at=func.clock_timestamp())
    assert claim(engine).attempt == 2


def test_a_long_audit_is_claimed_through_the_index_of_open_shards(engine: Engine) -> None:
    """The 20,000 shards that are done must not be walked through for each of the rest."""
    audit_id = add_audit(engine, 20_010)
    done = ShardRow.ordinal < 20_000
    with transaction(engine) as session:
        session.execute(update(ShardRow).where(done).values(status=ShardStatus.DONE))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE shards"))
    from worker.shards.store import _first_free_shard

    query = _first_free_shard(audit_id).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = "\n".join(connection.scalars(text(f"EXPLAIN {query}")))
    assert "ix_shards_open" in plan
    assert claim(engine).start == 20_000


def processors_of(engine: Engine, audit_id: UUID) -> list[str]:
    with transaction(engine) as session:
        return session.get_one(AuditRow, audit_id).processors


def test_an_audit_says_what_it_ran_on(engine: Engine) -> None:
    audit_id = add_audit(engine, 2)
    for _ in range(2):
        claim(engine)
    assert processors_of(engine, audit_id) == [processor_of(DeviceClass.CPU)]


def test_an_audit_on_a_gpu_stays_with_its_kind(engine: Engine) -> None:
    """Another GPU, or the same behind another driver, takes it only where none of its kind is left: from the start."""
    audit_id, other = add_audit(engine, 2, DeviceClass.GPU), '{"driver": "1", "processor": "H200"}'
    first = claim(engine, DeviceClass.GPU)
    assert processors_of(engine, audit_id) == [processor_of(DeviceClass.GPU)]
    assert finish(engine, first)
    with transaction(engine) as session:
        session.get_one(AuditRow, audit_id).processors = [other]
        session.add(WorkerRow(name="its own", device_class=DeviceClass.GPU, processor=other))
    assert nothing_left(engine, DeviceClass.GPU)
    with transaction(engine) as session:
        session.execute(delete(WorkerRow))
    assert claim(engine, DeviceClass.GPU).shard_id == first.shard_id
    assert processors_of(engine, audit_id) == [processor_of(DeviceClass.GPU)]
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(SampleScoresRow)) == 0


def test_a_worker_that_starts_again_tells_what_it_has_now(context: WorkerContext) -> None:
    """Under its name there may be another driver by then."""
    with transaction(context.engine) as session:
        session.add(WorkerRow(name=context.name, device_class=context.device_class, processor="of yesterday"))
    announce(context)
    with transaction(context.engine) as session:
        assert session.get_one(WorkerRow, context.name).processor == processor_of(context.device_class)


def test_results_name_every_processor_once() -> None:
    one, other = (processor_of(kind) for kind in (DeviceClass.CPU, DeviceClass.GPU))
    found = _software([one, other])
    assert found["tf32"] == "off"
    assert found["processor"] == "; ".join(json.loads(each)["processor"] for each in (one, other))
    assert found.keys() > {"torch", "driver", "cudnn"}
