"""An audit that does not fit the GPU starts over with half the micro-batch, and nothing of the first plan is left."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.audits.schemas import AuditRequest
from app.audits.service import request_audit
from app.db.session import transaction
from app.db.tables import AuditRow, SampleScoresRow, ShardRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import AuditStatus, ShardStatus
from app.errors import MeasureFailure
from tests.worker.workplace import Ids
from worker.lifecycle.context import WorkerContext
from worker.results.reducer import reduce_audit
from worker.shards.computing import Computation
from worker.shards.replanning import replan_audit
from worker.shards.runner import run_claimed
from worker.shards.store import Claim, claim_shard, extend_lease, release_shard, save_scores
from worker.supervision.endings import OutOfGpuMemory

MEASURES: dict[str, Any] = {"entropy": {}, "stability": {}}
SAMPLES = 6


def submit(context: WorkerContext, parts: Ids, micro_batch: int) -> tuple[UUID, list[UUID]]:
    protocol = {"micro_batch": micro_batch, "measures": MEASURES}
    body = {"dataset_id": parts[0], "model_ids": parts[1], "protocol": protocol, "sample_limit": SAMPLES}
    settings = context.settings.model_copy(update={"shard_samples": 2})
    with transaction(context.engine) as session:
        requested = request_audit(session, AuditRequest.model_validate(body), settings)
        query = select(ShardRow.id).where(ShardRow.audit_id == requested.audit.id).order_by(ShardRow.ordinal)
        return requested.audit.id, list(session.scalars(query))


def claim(context: WorkerContext, shard_id: UUID) -> Claim:
    with transaction(context.engine) as session:
        found = claim_shard(session, shard_id, "test", 60)
    assert isinstance(found, Claim)
    return found


def replan(context: WorkerContext, held: Claim) -> int:
    with transaction(context.engine) as session:
        return replan_audit(session, held, "no room")


def read_audit(context: WorkerContext, audit_id: UUID) -> AuditRow:
    with transaction(context.engine) as session:
        return session.get_one(AuditRow, audit_id)


def stored(context: WorkerContext, audit_id: UUID) -> list[Any]:
    row = SampleScoresRow
    columns = (row.model_ordinal, row.ordinal, row.scores, row.predicted, row.class_scores, row.pairs, row.maps)
    query = select(*columns).where(row.audit_id == audit_id).order_by(row.model_ordinal, row.ordinal)
    with transaction(context.engine) as session:
        return [tuple(found) for found in session.execute(query)]


def finish(context: WorkerContext, audit_id: UUID, shards: list[UUID]) -> list[Any]:
    for shard_id in shards:
        run_claimed(context, claim(context, shard_id))
    reduce_audit(context, audit_id)
    assert read_audit(context, audit_id).status == AuditStatus.SUCCEEDED
    return stored(context, audit_id)


def test_it_starts_over_with_half_the_micro_batch(at_work: WorkerContext, ids: Ids) -> None:
    asked_for = submit(at_work, ids, 4)
    audit_id, shards = submit(at_work, ids, 8)
    before = read_audit(at_work, audit_id)
    run_claimed(at_work, claim(at_work, shards[0]))
    assert stored(at_work, audit_id)
    elsewhere, short = claim(at_work, shards[1]), claim(at_work, shards[2])
    assert replan(at_work, short) == len(shards) == 3
    after = read_audit(at_work, audit_id)
    assert after.replanned == {"reason": "out-of-gpu-memory", "micro_batch_before": 8}
    halved = Protocol.model_validate(before.protocol).model_copy(update={"micro_batch": 4})
    assert (after.protocol, after.protocol_digest) == (halved.to_json(), halved.digest())
    assert after.protocol_digest != before.protocol_digest
    assert not stored(at_work, audit_id)
    with transaction(at_work.engine) as session:
        rows = session.scalars(select(ShardRow).where(ShardRow.audit_id == audit_id)).all()
        assert {(row.status, row.samples_done, row.lease_expires_at) for row in rows} == {(ShardStatus.QUEUED, 0, None)}
        # Whoever still computes under the old plan has lost: to report, to store and to give back.
        assert not extend_lease(session, elsewhere, 1, 60)
        assert not save_scores(session, elsewhere, [])
        assert not release_shard(session, elsewhere, counted=False)
    assert finish(at_work, audit_id, shards) == finish(at_work, *asked_for)


def test_a_shortage_beside_other_models_is_tried_again_alone(
    at_work: WorkerContext, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a warm child holds of the GPU may be what was missing: it is ended first, and only then halves the audit."""
    audit_id, shards = submit(at_work, ids, 8)
    run_claimed(at_work, claim(at_work, shards[0]))
    assert at_work.children._warm

    def short(*_: object) -> Any:
        raise OutOfGpuMemory("CUDA out of memory.")

    monkeypatch.setattr(Computation, "_converse", short)
    run_claimed(at_work, claim(at_work, shards[1]))
    assert (at_work.children._warm, read_audit(at_work, audit_id).replanned) == ({}, None)
    run_claimed(at_work, again := claim(at_work, shards[1]))
    assert again.attempt == 2
    assert read_audit(at_work, audit_id).protocol["micro_batch"] == 4


def test_of_two_workers_without_room_one_replans(at_work: WorkerContext, ids: Ids) -> None:
    audit_id, shards = submit(at_work, ids, 8)
    first, second = claim(at_work, shards[0]), claim(at_work, shards[1])
    assert replan(at_work, first) == 2
    assert replan(at_work, second) == 0
    assert read_audit(at_work, audit_id).protocol["micro_batch"] == 4
    # A later holder's attempt never meets that of a holder of the old plan, even after it was given back.
    later = claim(at_work, shards[1])
    with transaction(at_work.engine) as session:
        assert release_shard(session, later, counted=False)
    assert claim(at_work, shards[1]).attempt > second.attempt
    with transaction(at_work.engine) as session:
        assert not save_scores(session, second, [])


def test_it_fails_where_it_cannot_be_halved_again(at_work: WorkerContext, ids: Ids) -> None:
    for micro_batch, times, left in ((8, 1, 4), (3, 0, 3), (2, 0, 2)):
        audit_id, shards = submit(at_work, ids, micro_batch)
        for _ in range(times):
            assert replan(at_work, claim(at_work, shards[0]))
        held = claim(at_work, shards[0])
        with pytest.raises(MeasureFailure, match="does not fit") as failure:
            replan(at_work, held)
        assert failure.value.code == "out-of-gpu-memory"
        assert read_audit(at_work, audit_id).protocol["micro_batch"] == left
    with transaction(at_work.engine) as session:
        session.get_one(AuditRow, audit_id).status = AuditStatus.CANCELLED
    # An audit that has ended keeps its end, and its protocol.
    assert replan(at_work, held) == 0
    assert replan(at_work, replace(held, attempt=held.attempt + 1)) == 0
