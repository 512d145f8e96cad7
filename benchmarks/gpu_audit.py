"""What the parts of `make gpu` share: one batch through the engine on a device, and how a part fails."""

from collections.abc import Callable

import torch

from app.domain.protocol import ProtocolRequest
from benchmarks.audits import PROTOCOL
from benchmarks.subjects import SIZE, batch, network, normalise
from worker.engine.measuring import ModelAuditor, Outcome
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

CPU = torch.device("cpu")
IMAGES, FEW_IMAGES = 16, 2
SCORES = 5e-3
"""Largest difference of a score, GPU from CPU."""


class Failed(Exception):
    """A part did not hold what it should."""


def audit(device: torch.device, count: int) -> Callable[[], Outcome]:
    """Of one batch of so many images by a network on the device."""
    protocol = ProtocolRequest.model_validate(PROTOCOL | {"micro_batch": count}).resolve()
    explainer = make_explainer(protocol.salience.method, TargetHook(network("resnet18", device), input_size=SIZE))
    names = tuple(f"{number}.png" for number in range(count))
    pixels, truth = batch(count, CPU), torch.zeros(count, dtype=torch.int64)
    auditor = ModelAuditor(explainer, normalise, protocol, (0, 1), device)
    # A batch keeps what views made of it.
    return lambda: auditor.audit(ImageBatch(pixels, names), truth)
