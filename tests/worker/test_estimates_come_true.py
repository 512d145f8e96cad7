"""What an estimate promises against what an audit does: passes of the real engine, bytes of the real rows."""

from typing import Any

import pytest
import torch
from sqlalchemy import func, select, text

from app.audits.planning.costs import passes_per_map
from app.audits.planning.estimates import AuditEstimate
from app.audits.schemas import AuditRequest
from app.audits.service import plan_work, request_audit
from app.db.session import transaction
from app.db.tables import ModelRow, SampleScoresRow, ShardRow
from app.domain.models.outputs import CLASSES
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol, SalienceSettings
from app.domain.vocabulary import CamMethod
from tests.waiting import RECIPE
from tests.worker.workplace import Ids
from worker.engine.measuring import ModelAuditor
from worker.engine.normalisation import Normalisation
from worker.lifecycle.context import WorkerContext
from worker.salience import OF_ATTENTION, make_explainer
from worker.salience.hook import TargetHook
from worker.shards.runner import run_next_shard
from worker.views.base import ImageBatch
from worker.weights.cache import ModelCache, TorchModel
from worker.wire.job_parts import JobModel

ALL: dict[str, Any] = {}
NARROW = {"measures": {"entropy": {}, "geometric_resilience": {"groups": ["flips"]}, "stability": {}}}
WIDE: dict[str, Any] = {"measures": {"entropy": {}, "geometric_resilience": {}}}
BYTES_WITHIN = 1.3


def _body(ids: Ids, protocol: dict[str, Any], samples: int) -> AuditRequest:
    body = {"dataset_id": ids[0], "model_ids": ids[1], "protocol": protocol, "sample_limit": samples}
    return AuditRequest.model_validate(body)


def _estimate(context: WorkerContext, request: AuditRequest) -> AuditEstimate:
    with transaction(context.engine) as session:
        return AuditEstimate.of(plan_work(session, request, context.settings), context.settings)


@pytest.mark.parametrize("protocol", [ALL, NARROW, {"measures": {"degradation": {}, "noise_reaction": {}}}])
def test_passes_are_those_that_the_engine_makes(at_work: WorkerContext, ids: Ids, protocol: dict[str, Any]) -> None:
    batches, batch = 2, 2
    found = _estimate(at_work, _body(ids, protocol | {"micro_batch": batch}, batches * batch))
    images, calls = 0, 0
    for model_id in ids[1]:
        with transaction(at_work.engine) as session:
            model = session.get_one(ModelRow, model_id)
        loaded = ModelCache().get(at_work.blobs, JobModel.of(model), torch.device("cpu"))
        assert isinstance(loaded, TorchModel)
        module = loaded.module
        explainer = loaded.explainer(CamMethod.GRADCAM, 224, None, CLASSES)
        normalisation = Normalisation(Preprocessing.of(RECIPE["preprocessing"]))
        auditor = ModelAuditor(explainer, normalisation, Protocol.model_validate(found.protocol), (1,))
        seen: list[int] = []
        handle = module.register_forward_hook(lambda _module, inputs, _output, seen=seen: seen.append(len(inputs[0])))
        for number in range(batches):
            generator = torch.Generator().manual_seed(number)
            pixels = torch.randint(0, 256, (batch, 3, 224, 224), dtype=torch.uint8, generator=generator)
            names = tuple(f"{number}-{place}" for place in range(batch))
            auditor.audit(ImageBatch(pixels, names), torch.zeros(batch, dtype=torch.int64))
        handle.remove()
        images, calls = images + sum(seen), calls + len(seen)
    assert calls == batches * found.passes_per_image
    assert images == found.passes


@pytest.mark.parametrize("method", [method for method in CamMethod if method not in OF_ATTENTION])
def test_passes_for_a_map_are_those_of_the_method(method: CamMethod) -> None:
    """Of a network with eight channels and as many rows and columns at the target layer; roll-out needs attention."""
    body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1))
    module = torch.nn.Sequential(*body, torch.nn.Flatten(), torch.nn.Linear(8, 2)).eval()
    explainer = make_explainer(method, TargetHook(module, input_size=64))
    seen: list[int] = []
    module.register_forward_hook(lambda _module, inputs, _output: seen.append(len(inputs[0])))
    explainer.explain(torch.rand(5, 3, 64, 64), torch.zeros(5, dtype=torch.int64))
    assert sum(seen) == 5 * passes_per_map(SalienceSettings(method=method), 8, 64)


@pytest.mark.parametrize(("protocol", "models", "rows"), [(NARROW, 2, 96 * 3), (WIDE, 1, 96)])
def test_bytes_are_those_of_the_stored_rows(
    at_work: WorkerContext, ids: Ids, protocol: dict[str, Any], models: int, rows: int
) -> None:
    """With short rows, and with rows whose maps PostgreSQL moves out; pages, indexes and all."""
    request = _body((ids[0], ids[1][:models]), protocol, 96)
    found = _estimate(at_work, request)
    assert found.seconds is not None
    assert found.seconds > 0
    with transaction(at_work.engine) as session:
        empty = session.scalar(select(func.pg_total_relation_size("sample_scores"))) or 0
        requested = request_audit(session, request, at_work.settings)
        assert requested.new_shards == found.shards
    while _waiting(at_work):
        run_next_shard(at_work)
    with transaction(at_work.engine) as session:
        assert session.scalar(select(func.count()).select_from(SampleScoresRow)) == rows
        stored = (session.scalar(select(func.pg_total_relation_size("sample_scores"))) or 0) - empty
    assert stored / BYTES_WITHIN < found.bytes < stored * BYTES_WITHIN


def _waiting(context: WorkerContext) -> bool:
    with transaction(context.engine) as session:
        open_shards = select(func.count()).select_from(ShardRow).where(ShardRow.status != text("'done'"))
        return bool(session.scalar(open_shards))
