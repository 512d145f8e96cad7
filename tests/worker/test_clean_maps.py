"""Clean maps are made once for a model and a data set, and taking them over changes no bit."""

import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from app.audits.schemas import AuditRequest
from app.audits.service import request_audit
from app.db.session import transaction
from app.db.tables import AuditRow, CleanSourceRow, SampleScoresRow, ShardRow
from tests.worker.workplace import Ids, prepare
from worker.lifecycle.context import WorkerContext
from worker.shards.runner import run_claimed
from worker.shards.store import claim_shard

SAMPLES, MICRO_BATCH = 10, 4
FOCUS: dict[str, Any] = {"entropy": {}}
MORE: dict[str, Any] = {"entropy": {}, "noise_reaction": {"curve": []}, "stability": {}}


@pytest.fixture
def reusing(at_work: WorkerContext) -> WorkerContext:
    return replace(at_work, settings=at_work.settings.model_copy(update={"reuse_clean_maps": True}))


def run(context: WorkerContext, ids: Ids, measures: dict[str, Any], samples: int = SAMPLES, **protocol: Any) -> UUID:
    """In shards of 7."""
    body = {"dataset_id": ids[0], "model_ids": ids[1], "sample_limit": samples}
    asked = {"protocol": {"micro_batch": MICRO_BATCH, "measures": measures} | protocol}
    settings = context.settings.model_copy(update={"shard_samples": 7})
    with transaction(context.engine) as session:
        audit = request_audit(session, AuditRequest.model_validate(body | asked), settings).audit
        shards = list(session.scalars(select(ShardRow.id).where(ShardRow.audit_id == audit.id)))
    for shard_id in shards:
        with transaction(context.engine) as session:
            claim = claim_shard(session, shard_id, context.name, 60)
        assert claim is not None
        run_claimed(context, claim)
    return audit.id


def stored(context: WorkerContext, audit_id: UUID) -> list[tuple[Any, ...]]:
    row = SampleScoresRow
    columns = (row.model_ordinal, row.ordinal, row.sample_id, row.scores, row.predicted, row.class_scores, row.maps)
    with transaction(context.engine) as session:
        query = select(*columns).where(row.audit_id == audit_id).order_by(row.model_ordinal, row.ordinal)
        return [tuple(found) for found in session.execute(query)]


def reused(caplog: pytest.LogCaptureFixture) -> int:
    """Since the last time it was asked."""
    found = [record.args for record in caplog.records if "clean maps are cached" in record.message]
    caplog.clear()
    return sum(int(str(arguments[1])) for arguments in found if isinstance(arguments, tuple))


def test_a_later_audit_takes_them_over_bit_by_bit(
    at_work: WorkerContext, ids: Ids, reusing: WorkerContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    expected = stored(at_work, run(at_work, ids, MORE))
    assert reused(caplog) == 0
    run(reusing, ids, FOCUS, samples=6)
    assert reused(caplog) == 0
    # The draws differ in size, so that a batch holds known maps beside unknown ones.
    assert stored(reusing, run(reusing, ids, MORE)) == expected
    assert 0 < reused(caplog) < SAMPLES * len(ids[1])
    assert stored(reusing, run(reusing, ids, MORE)) == expected
    assert reused(caplog) == SAMPLES * len(ids[1])


def test_other_settings_other_uploads_and_removed_maps(
    at_work: WorkerContext, ids: Ids, reusing: WorkerContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = run(reusing, ids, FOCUS)
    run(reusing, ids, FOCUS, salience={"method": "layercam"})
    run(reusing, ids, FOCUS, salience={"target": "label"})
    run(reusing, ids, FOCUS, micro_batch=MICRO_BATCH + 1)
    assert reused(caplog) == 0
    # The same bytes, uploaded again: other rows, the same digests.
    run(reusing, prepare(at_work), FOCUS)
    assert reused(caplog) == SAMPLES * len(ids[1])
    with transaction(at_work.engine) as session:
        session.execute(delete(AuditRow).where(AuditRow.id != first))
        session.execute(update(SampleScoresRow).values(maps=None))
    run(reusing, ids, FOCUS)
    assert reused(caplog) == 0
    with transaction(at_work.engine) as session:
        session.execute(delete(AuditRow))
        assert session.scalars(select(CleanSourceRow)).all() == []
