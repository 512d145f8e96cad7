"""Hooks, graphs and batches are let go of: memory does not grow with the number of batches."""

import gc
from pathlib import Path

import pytest
import torch
from torch import nn

from app.domain.vocabulary import CamMethod
from worker.salience import make_explainer
from worker.salience.hook import TargetHook

BATCHES, WARM_UP = 200, 50
ALLOWED_BYTES = 6 * 1024**2


def resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.parametrize("method", [CamMethod.GRADCAM, CamMethod.EIGENCAM, CamMethod.FEM])
def test_many_batches(method: CamMethod) -> None:
    convolutions = (nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.Conv2d(8, 16, 3, stride=2))
    block = (convolutions[0], nn.BatchNorm2d(8), nn.ReLU(inplace=True), convolutions[1], nn.ReLU())
    network = nn.Sequential(*block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3)).eval()
    explainer = make_explainer(method, TargetHook(network, input_size=64))
    # One batch that was kept would be 48 kB, and its activations several times that; a hook or a graph is an object.
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for _ in range(WARM_UP):
        explainer.explain(images, None)
    gc.collect()
    bytes_before, objects_before = resident_bytes(), len(gc.get_objects())
    for _ in range(BATCHES):
        explainer.explain(images, None)
    gc.collect()
    assert len(gc.get_objects()) - objects_before < BATCHES
    assert resident_bytes() - bytes_before < ALLOWED_BYTES
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())
