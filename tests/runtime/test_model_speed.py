"""How fast a model is, as its probe says: measured, of the device, and no more than it needs to know."""

import json
from types import SimpleNamespace

import pytest
import torch
import torchvision

from app.domain.vocabulary import DeviceClass
from worker.machine.device import device_class_of
from worker.salience.bias_layers import bias_channels
from worker.weights import speed
from worker.weights.speed import FEWEST, HEADS, MICRO_BATCH, MOST, ModelSpeed

CPU = torch.device("cpu")


class Counting(torch.nn.Module):
    """Notes the sizes of the batches that it sees, and those that its last layer sees of one image."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torchvision.models.resnet18(num_classes=2)
        self.batches: list[int] = []
        self.behind: list[int] = []
        self.inner.fc.register_forward_pre_hook(self._note)

    def _note(self, _module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if self.batches[-1] == 1:
            self.behind.append(len(inputs[0]))

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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed: as many as a test adds to them, however busy the machine is."""
    passed = [0.0]
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: passed[0]))
    return passed


def test_a_slow_model_is_timed_twice_and_tells(clock: list[float]) -> None:
    module = Counting()
    module.register_forward_pre_hook(lambda *_: clock.__setitem__(0, clock[0] + 1.1))
    found = ModelSpeed.measure(module, CPU, input_size=64, target_layer=None)
    assert found is not None
    assert found.seconds_per_image == pytest.approx(1.1 / MICRO_BATCH)
    assert module.batches.count(MICRO_BATCH) == 1 + FEWEST


def test_what_is_behind_the_target_layer_is_timed_on_its_own(clock: list[float]) -> None:
    """A head that takes a hundredth of a second for a feature map, and passes of one image that see one or many."""
    module = Counting()
    module.inner.fc.register_forward_pre_hook(
        lambda _, inputs: clock.__setitem__(0, clock[0] + 0.01 * len(inputs[0])),
    )
    found = ModelSpeed.measure(module, CPU, input_size=64, target_layer=None)
    assert found is not None
    assert {*module.behind} == {1, HEADS}
    assert found.seconds_per_head == pytest.approx(0.01)


def test_a_head_that_is_little_beside_the_pass_is_timed_by_more_maps(clock: list[float]) -> None:
    """Of a pass that takes a second, until they take another."""
    module = Counting()
    module.register_forward_pre_hook(lambda *_: clock.__setitem__(0, clock[0] + 1.0))
    module.inner.fc.register_forward_pre_hook(
        lambda _, inputs: clock.__setitem__(0, clock[0] + 0.01 * len(inputs[0])),
    )
    found = ModelSpeed.measure(module, CPU, input_size=64, target_layer=None)
    assert found is not None
    assert {*module.behind} == {1, HEADS, 4 * HEADS, 16 * HEADS}
    assert found.seconds_per_head == pytest.approx(0.01)


def test_maps_that_fullgrad_enlarges_take_time_by_their_number() -> None:
    """Of 20 batch norms with 4,800 channels; of sixteen times as many pixels."""
    small, large = (ModelSpeed.measure(Counting(), CPU, input_size=size, target_layer=None) for size in (64, 256))
    assert small is not None
    assert large is not None
    assert bias_channels(Counting()) == 4800
    assert small.seconds_of_bias_maps is not None
    assert large.seconds_of_bias_maps is not None
    assert large.seconds_of_bias_maps > 4 * small.seconds_of_bias_maps > 0


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
