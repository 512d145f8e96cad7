"""Every CAM method and every deformation on a device against the CPU, on networks small enough for many passes."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer

from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.views.deformations import DEFORMATIONS
from app.domain.views.moves import MOVES
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from benchmarks.gpu_audit import CPU, SCORES, Failed
from benchmarks.subjects import batch, normalise
from worker.engine.measuring import ModelAuditor, Outcome
from worker.functional.quantization import min_max
from worker.salience import make_explainer, meaningful_perturbation, scored_masks
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

SIDE, IMAGES, MASKS = 32, 2, 100
FEW = 5
"""Draws of SS-CAM, steps of meaningful perturbation."""
NAMES = ("first", "second")
MAPS = 1e-3
"""Largest difference of a map after min-max: logits that lie close together leave few digits of some methods."""


def networks() -> Iterator[nn.Module]:
    """Convolutions with a linear head, and a transformer of torchvision, with the same weights every time."""
    torch.manual_seed(3)
    body = nn.Conv2d(3, 12, 5, stride=4, padding=2), nn.ReLU(), nn.Conv2d(12, 8, 3, stride=2, padding=1), nn.ReLU()
    yield nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).eval()
    torch.manual_seed(3)
    transformer: Any = VisionTransformer(SIDE, 8, 2, 2, 16, 32, num_classes=4)
    nn.init.normal_(transformer.heads[-1].weight)
    yield transformer.eval()


def methods(device: torch.device) -> str:
    """The maps of each on both networks, where they are networks for it."""
    pixels = torch.nn.functional.interpolate(normalise(batch(IMAGES, CPU)), (SIDE, SIDE), mode="area")
    found = {method: max(_differences(method, pixels, device), default=0.0) for method in CamMethod}
    worst = sorted(found, key=found.__getitem__)[-3:]
    told = f"{len(found)} methods; the largest differences: " + ", ".join(f"{one} {found[one]:.0e}" for one in worst)
    if found[worst[-1]] > MAPS:
        raise Failed(told)
    return told


def _differences(method: CamMethod, images: Tensor, device: torch.device) -> Iterator[float]:
    for here, there in zip(networks(), networks(), strict=True):
        try:
            expected, found = (
                _maps(method, network, images, where) for network, where in ((here, CPU), (there, device))
            )
        except InputFailure as refusal:
            if refusal.code != "cam-method-not-possible":
                raise
        else:
            yield float((found - expected).abs().max())


def _maps(method: CamMethod, network: nn.Module, images: Tensor, device: torch.device) -> Tensor:
    explainer = make_explainer(method, TargetHook(network.to(device), input_size=SIDE), MASKS)
    target = torch.tensor([0, 3], device=device)
    with patch.object(scored_masks, "SMOOTHED", FEW), patch.object(meaningful_perturbation, "STEPS", FEW):
        return min_max(explainer.explain(images.to(device), target, Draws(0, NAMES)).maps)[0].cpu()


def deformations(device: torch.device) -> str:
    """Scores of every noise at its third severity and of every move, on the first network."""
    noises = [{"kind": kind, "severities": [3]} for kind in DEFORMATIONS]
    moves = [{"kind": kind, "values": [(spec.smallest + spec.largest) / 2 or 1]} for kind, spec in MOVES.items()]
    measures = {"noise_reaction": {"deformations": noises}, "geometric_resilience": {"deformations": moves}}
    protocol = ProtocolRequest.model_validate({"measures": measures, "micro_batch": IMAGES}).resolve()
    expected, found = (_audited(protocol, where) for where in (CPU, device))
    apart = {
        column: float((score.values - expected.scores[column].values).abs().nan_to_num().max())
        for column, score in found.scores.items()
    }
    (_, view), largest = max(apart.items(), key=lambda item: item[1])
    told = f"{len(apart)} scores; the largest difference: {view} {largest:.0e}"
    if largest > SCORES:
        raise Failed(told)
    return told


def _audited(protocol: Protocol, device: torch.device) -> Outcome:
    network = next(networks()).to(device)
    explainer = make_explainer(protocol.salience.method, TargetHook(network, input_size=224))
    auditor = ModelAuditor(explainer, normalise, protocol, (0, 1), device)
    return auditor.audit(ImageBatch(batch(IMAGES, CPU), NAMES), torch.zeros(IMAGES, dtype=torch.int64))
