"""How fast a model is, as its probe says: measured, of the device, and no more than it needs to know."""

import json
import time

import pytest
import torch
import torchvision

from app.domain.vocabulary import DeviceClass
from worker.machine.device import device_class_of
from worker.weights.speed import FEWEST, MICRO_BATCH, MOST, ModelSpeed

CPU = torch.device("cpu")


class Counting(torch.nn.Module):
    """Notes the sizes of the batches that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torchvision.models.resnet18(num_classes=2)
        self.batches: list[int] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(images))
        logits: torch.Tensor = self.inner(images)
        return logits


def test_speed_is_positive_and_json() -> None:
    module = Counting()
    found = ModelSpeed.measure(module, CPU, input_size=64, target_layer=None)
    assert found is not None
    assert found.seconds_per_image > 0
    assert json.loads(json.dumps(found.to_dict()))["device_class"] == "cpu"
    passes = [size for size in module.batches if size == MICRO_BATCH]
    assert 1 + FEWEST <= len(passes) <= 1 + MOST


def test_a_slow_model_is_timed_twice_and_tells() -> None:
    module = Counting()
    module.register_forward_pre_hook(lambda *_: time.sleep(1.1))
    found = ModelSpeed.measure(module, CPU, input_size=64, target_layer=None)
    assert found is not None
    assert 1.1 / MICRO_BATCH < found.seconds_per_image < 11 / MICRO_BATCH
    assert module.batches.count(MICRO_BATCH) == 1 + FEWEST


def test_no_memory_is_no_speed() -> None:
    module = Counting()

    def refuse(_module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if len(inputs[0]) == MICRO_BATCH:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    module.register_forward_pre_hook(refuse)
    assert ModelSpeed.measure(module, CPU, input_size=64, target_layer=None) is None


@pytest.mark.parametrize(("device", "expected"), [("cpu", DeviceClass.CPU), ("cuda", DeviceClass.GPU)])
def test_device_class(device: str, expected: DeviceClass) -> None:
    assert device_class_of(torch.device(device)) is expected
