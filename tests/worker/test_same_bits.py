"""The same audit gives the same bits whatever the shards and their order, and the same scores with another batch."""

import random
from typing import Any, Literal, get_args
from uuid import UUID

import pytest
from sqlalchemy import select

from app.audits.schemas import AuditRequest
from app.audits.service import request_audit
from app.db.session import transaction
from app.db.tables import AuditResultsRow, AuditRow, SampleScoresRow, ShardRow
from app.domain.vocabulary import AuditStatus
from tests.worker.workplace import RUNS, Ids
from worker.lifecycle.context import WorkerContext
from worker.results.reducer import reduce_audit
from worker.shards.runner import run_claimed
from worker.shards.store import claim_shard

SAMPLES = 7
MEASURES = {
    "entropy": {},
    "noise_reaction": {"curve": [0.5], "deformations": [{"kind": "shot_noise", "severities": [1, 4]}]},
    "geometric_resilience": {"groups": ["flips"], "deformations": [{"kind": "elastic", "values": [0.5]}]},
    "degradation": {},
    "stability": {},
}


def _run_shard(context: WorkerContext, shard_id: UUID) -> None:
    with transaction(context.engine) as session:
        claim = claim_shard(session, shard_id, context.name, context.settings.lease_seconds)
    if claim is not None:
        run_claimed(context, claim)


Kept = Literal[
    "summaries", "performance", "stability", "across_models", "noise_curves", "deformation_curves", "move_curves"
]


def _audit(context: WorkerContext, ids: Ids, *, shard: int, micro_batch: int) -> dict[str, Any]:
    """Run the shards in a shuffled order, some of them twice; returns the stored rows and the results."""
    protocol = {"micro_batch": micro_batch, "measures": MEASURES}
    body = {"dataset_id": ids[0], "model_ids": ids[1], "protocol": protocol, "sample_limit": SAMPLES}
    settings = context.settings.model_copy(update={"shard_samples": shard})
    with transaction(context.engine) as session:
        requested = request_audit(session, AuditRequest.model_validate(body), settings)
        shards = list(session.scalars(select(ShardRow.id).where(ShardRow.audit_id == requested.audit.id)))
    assert len(shards) == requested.new_shards
    random.Random(shard).shuffle(shards)
    for shard_id in [*shards, *shards[:2]]:
        _run_shard(context, shard_id)
    reduce_audit(context, requested.audit.id)
    reduce_audit(context, requested.audit.id)
    row = SampleScoresRow
    columns = (row.model_ordinal, row.ordinal, row.scores, row.controls, row.predicted, row.class_scores, row.maps)
    with transaction(context.engine) as session:
        audit = session.get_one(AuditRow, requested.audit.id)
        assert audit.status == AuditStatus.SUCCEEDED, audit.problem
        query = select(*columns).where(row.audit_id == audit.id).order_by(row.model_ordinal, row.ordinal)
        rows = [tuple(found) for found in session.execute(query)]
        document = session.get_one(AuditResultsRow, audit.id).document
    kept: tuple[Kept, ...] = get_args(Kept)
    return {"rows": rows, "results": {name: document[name] for name in kept}}


def test_shards_and_their_order_change_no_bit(at_work: WorkerContext, ids: Ids) -> None:
    whole = _audit(at_work, ids, shard=64, micro_batch=4)
    assert len(whole["rows"]) == SAMPLES * (len(RUNS) + 1)
    curves = whole["results"]["deformation_curves"]
    assert [(curve["kind"], [point["severity"] for point in curve["points"]]) for curve in curves] == [
        ("shot_noise", [1, 4])
    ] * len(RUNS)
    moves = whole["results"]["move_curves"]
    assert [(curve["kind"], [point["number"] for point in curve["points"]]) for curve in moves] == [
        ("elastic", [0.5])
    ] * len(RUNS)
    points = [point for curve in (*curves, *moves) for point in curve["points"]]
    assert all(-1 <= point["mean"] < 1 and point["auroc"] is not None for point in points)
    assert all(curve["points"][0]["control_mean"] is not None for curve in moves)
    for shard in (1, 3):
        assert _audit(at_work, ids, shard=shard, micro_batch=4) == whole


def test_another_micro_batch_changes_rounding_only(at_work: WorkerContext, ids: Ids) -> None:
    four, five = (_audit(at_work, ids, shard=64, micro_batch=size) for size in (4, 5))
    for one, other in zip(four["rows"], five["rows"], strict=True):
        assert one[:2] == other[:2]
        assert one[2] == pytest.approx(other[2], abs=5e-3)
