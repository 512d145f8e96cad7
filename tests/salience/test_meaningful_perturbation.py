"""Meaningful perturbation against its objective written again in NumPy and double precision."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from app.domain.maps.cam_methods import CAM_METHODS as SPECS
from app.domain.vocabulary import CamMethod
from benchmarks.perturbation_peer import mask_deleted
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience import meaningful_perturbation as method
from worker.salience.draws import Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook

NAME = CamMethod.MEANINGFUL_PERTURBATION
SIZE = (44, 36)
"""Neither is a multiple of a cell."""
DRAWS = Draws(3, ("first", "second"))


class Sees(nn.Module):
    """Sees the upper left: how far a pattern there is from grey decides."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.conv = nn.Conv2d(3, 4, 5, stride=2, padding=2)
        self.head = nn.Linear(4, 2)
        nn.init.normal_(self.head.weight, std=4)

    def forward(self, images: Tensor) -> Tensor:
        features = self.conv(images).tanh().square()
        logits: Tensor = self.head(features[:, :, :10, :8].mean((2, 3)))
        return logits


@pytest.fixture
def images(photographs: Tensor) -> Tensor:
    return nn.functional.interpolate(photographs[:2], SIZE, mode="area")


def explained(images: Tensor, draws: Draws) -> Explanation:
    hook = TargetHook(Sees().eval(), input_size=SIZE, target_layer="conv")
    return make_explainer(NAME, hook).explain(images, None, draws)


def test_same_as_by_hand_after_all_steps(images: Tensor) -> None:
    images = images[:1]
    found = explained(images, DRAWS)
    twin = deepcopy(Sees()).double().eval()
    for place, image in enumerate(images.double().numpy()):
        moves = DRAWS.stream(place, NAME).integers(0, method.MOVES, (method.STEPS, 2))
        expected = torch.from_numpy(mask_deleted(twin, image, int(found.predicted[place]), moves))
        assert float(expected.max() - expected.min()) > 0.1, "it deletes something"
        apart = min_max(found.maps[place : place + 1])[0] - min_max(expected[None].float())[0]
        assert float(apart.abs().max()) < 1e-3
        deleted = found.maps[place]
        assert deleted[:20, :16].mean() > 1.2 * deleted[24:, 20:].mean(), "where the network looks"


def test_a_map_hangs_on_seed_sample_and_image_alone(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "STEPS", 20)
    both = explained(images, DRAWS).maps
    assert torch.equal(explained(images[1:], Draws(3, ("second",))).maps, both[1:])
    for other in (Draws(4, ("second",)), Draws(3, ("third",))):
        assert not torch.equal(explained(images[1:], other).maps, both[1:])


def test_few_images_are_in_memory_and_the_cost_is_told(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "STEPS", 5)
    network, passed = Sees(), list[int]()
    hook = TargetHook(network.eval(), input_size=SIZE, target_layer="conv")
    network.register_forward_pre_hook(lambda _module, inputs: passed.append(len(inputs[0])))
    make_explainer(NAME, hook).explain(images[:1], None, DRAWS)
    assert sum(passed) == SPECS[NAME].passes(512, 49) - 300 + method.STEPS
    assert max(passed) <= 16
    assert set(passed[-method.STEPS :]) == {1}
    assert all(parameter.grad is None for parameter in network.parameters())
    assert SPECS[NAME].passes(512, 49) == 337
    assert SPECS[NAME].cost_of_pass == 3


def test_where_nothing_is_deleted_there_is_no_map() -> None:
    """Of a constant image the blurred one is the same, and to delete it changes nothing."""
    maps = explained(torch.zeros(1, 3, *SIZE), DRAWS).maps
    assert not maps.any()
    assert bool(min_max(maps)[1].all())
