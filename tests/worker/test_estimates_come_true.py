"""What an estimate promises against what an audit does: passes of the real engine, bytes of the real rows."""

from typing import Any

import pytest
import torch
from sqlalchemy import func, select, text
from torchvision.models import VisionTransformer

from app.audits.planning.costs import passes_per_map, subject_costs
from app.audits.planning.estimates import AuditEstimate
from app.audits.planning.looks import Looks
from app.audits.schemas import AuditRequest
from app.audits.service import plan_work, request_audit
from app.db.session import transaction
from app.db.tables import ModelRow, SampleScoresRow, ShardRow
from app.domain.maps import cam_methods
from app.domain.models.levels import ValueRange
from app.domain.models.outputs import CLASSES, Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol, ProtocolRequest, SalienceSettings
from app.domain.vocabulary import CamMethod, DeviceClass, OutputKind
from app.results.inputs import audited_subjects
from tests.factories import model_row
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
FEW_MASKS = {CamMethod.RISE: {"masks": 100}}


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


def _network(method: CamMethod) -> torch.nn.Module:
    """Of three classes; but for roll-out, which needs attention, with eight channels and as many rows and columns at
    the target layer."""
    if method in OF_ATTENTION:
        transformer: torch.nn.Module = VisionTransformer(64, 8, 1, 2, 8, 16, num_classes=3)
        return transformer.eval()
    body = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1))
    return torch.nn.Sequential(*body, torch.nn.Flatten(), torch.nn.Linear(8, 3)).eval()


def _counted(module: torch.nn.Module) -> list[int]:
    """How many images went through it, pass by pass."""
    seen: list[int] = []
    module.register_forward_hook(lambda _module, inputs, _output: seen.append(len(inputs[0])))
    return seen


@pytest.mark.parametrize("method", CamMethod)
@pytest.mark.parametrize("at_once", [cam_methods.HEAD_NUMBERS, 8 * 64 * 3])
def test_passes_for_a_map_are_those_of_the_method(
    method: CamMethod, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With memory for all changed feature maps of an image, and for three of them."""
    monkeypatch.setattr(cam_methods, "HEAD_NUMBERS", at_once)
    module, salience = _network(method), SalienceSettings.model_validate({"method": method} | FEW_MASKS.get(method, {}))
    explainer = make_explainer(method, TargetHook(module, input_size=64), salience.masks or 0)
    seen = _counted(module)
    explainer.explain(torch.rand(2, 3, 64, 64), torch.zeros(2, dtype=torch.int64))
    assert sum(seen) == 2 * passes_per_map(salience, 8, 64)


@pytest.mark.parametrize("method", CamMethod)
def test_passes_for_several_labels_are_those_that_the_engine_makes(method: CamMethod) -> None:
    """Batches whose images have two labels together, and none: each label is a map of its own, asked of all of them
    where they go through together, and of those that have it where each goes by itself."""
    labels = [(0, 2), (2,), (), ()]
    asked = {"method": method, "target": "label"} | FEW_MASKS.get(method, {})
    wanted = {"measures": {"entropy": {}}, "micro_batch": 2, "salience": asked}
    protocol = ProtocolRequest.model_validate(wanted).resolve()
    module, output = _network(method), Output(kind=OutputKind.MULTILABEL)
    hook = TargetHook(module, input_size=64, output=output)
    explainer = make_explainer(method, hook, protocol.salience.masks or 0)
    seen = _counted(module)
    described = Preprocessing.of({"input_size": 64, "value_range": ValueRange.UNIT})
    auditor = ModelAuditor(explainer, Normalisation(described), protocol, (0, 1, 2))
    for place in range(0, len(labels), 2):
        truth = torch.tensor([[label in own for label in range(3)] for own in labels[place : place + 2]])
        pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
        auditor.audit(ImageBatch(pixels, (f"{place}", f"{place + 1}")), truth)
    probe = {"target_layer": "last", "map_channels": 8, "map_height": 8, "map_width": 8, "candidate_layers": []}
    model = model_row(probe=probe, preprocessing={"input_size": 64})
    (cost,) = subject_costs(audited_subjects(protocol, [model]), DeviceClass.CPU)
    looks = Looks.of([(0, len(labels))], protocol.micro_batch, labels)
    assert sum(seen) == cost.passes * cost.images(looks)


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
