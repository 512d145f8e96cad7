"""The target is found wherever a pass makes it: in place, by no module, or within a mode of the model's own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from app.errors import InputFailure
from tests.salience.toy import Toy, toy_images
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook


def within_a_mode(toy: Toy, features: Tensor) -> Tensor:
    """Which ends after the module and before the pooling."""
    with torch.device("cpu"):
        rectified: Tensor = toy.relu(features)
    return rectified


def written_through_an_item(_toy: Toy, features: Tensor) -> Tensor:
    features[0, 0] = 0.5
    return features


# How the target comes about, by what the pass does to the convolution's output: in all cases the same tensor is pooled.
WAYS: dict[str, Callable[[Toy, Tensor], Tensor]] = {
    "what a module put out": lambda toy, features: toy.relu(features),
    "written to since": lambda _toy, features: torch.relu_(features),
    "written to twice": lambda _toy, features: features.mul_(2).clamp_(min=0),
    "of no module": lambda _toy, features: features.clone().relu(),
    "a module called twice": lambda toy, features: toy.relu(toy.relu(features) - 0.25),
    "written to behind a module called twice": lambda toy, features: toy.relu(toy.relu(features)).mul_(2),
    "written to through a view": lambda _toy, features: (features[:, :1].relu_(), features)[1],
    "written to through an item": written_through_an_item,
    "within a mode of its own": within_a_mode,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("softmax", [False, True])
def test_the_target_is_found_wherever_it_is_made(way: str, softmax: bool) -> None:  # noqa: FBT001
    class Odd(Toy):
        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.head(WAYS[way](self, self.conv(images)).mean((2, 3)))
            return logits.softmax(1) if softmax else logits

    toy = Odd()
    extractor = SalienceExtractor(TargetHook(toy, input_size=4))
    for _ in range(2):
        found = extractor.extract(toy_images(), torch.tensor([0, 1]))
        assert torch.equal(found.activation, WAYS[way](toy, toy.conv(toy_images())))
        assert torch.equal(found.gradient, (toy.head.weight / 16).view(2, 2, 1, 1).expand(2, 2, 4, 4))
        assert torch.equal(found.logits, toy.head(found.activation.mean((2, 3))))
    assert _get_current_function_mode_stack() == []


@pytest.mark.parametrize("way", ["what a module put out", "written to since", "of no module"])
def test_all_poolings_count(way: str) -> None:
    """As in networks that take the mean and the maximum of the same features."""

    class Both(Toy):
        def __init__(self) -> None:
            super().__init__()
            self.between = nn.Dropout()

        def forward(self, images: Tensor) -> Tensor:
            features = WAYS[way](self, self.conv(images))
            kept.append(features)
            logits: Tensor = self.head(features.mean((2, 3)) + self.between(features).amax((2, 3)))
            return logits

    kept: list[Tensor] = []
    both = Both().eval()
    found = SalienceExtractor(TargetHook(both, input_size=4)).extract(toy_images(), torch.tensor([0, 1]))
    logits = both(toy_images())
    expected = torch.autograd.grad(logits[0, 0] + logits[1, 1], kept[-1])[0]
    torch.testing.assert_close(found.gradient, expected)
    assert torch.equal(found.activation, kept[-1])


@pytest.mark.parametrize("layer", [None, "conv"])
def test_a_mode_of_the_model_that_ends_midway_keeps_the_softmax_in_sight(layer: str | None) -> None:
    class Odd(Toy):
        def forward(self, images: Tensor) -> Tensor:
            with torch.device("cpu"):
                features = self.conv(images)
            logits: Tensor = self.head(features.mean((2, 3)))
            return logits.softmax(1)

    odd = Odd()
    found = SalienceExtractor(TargetHook(odd, input_size=4, target_layer=layer)).extract(toy_images())
    assert torch.equal(found.logits, odd.head(odd.conv(toy_images()).mean((2, 3))))
    assert _get_current_function_mode_stack() == []


def test_unknown_layer_names_the_candidates() -> None:
    with pytest.raises(InputFailure, match=r"target-layer-not-found.*'nowhere'.*relu") as caught:
        SalienceExtractor(TargetHook(Toy(), input_size=4, target_layer="nowhere"))
    assert caught.value.code == "target-layer-not-found"


def test_model_without_a_feature_map() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 4), nn.Flatten(), nn.Linear(2, 2))
    with pytest.raises(InputFailure, match="target-layer-not-found"):
        SalienceExtractor(TargetHook(network, input_size=4))
