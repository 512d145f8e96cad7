"""The cut graph: bit-equal to a full backward pass, and it leaves no trace in the model."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from app.errors import InputFailure
from tests.salience.conftest import SIDE
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook


class Toy(nn.Module):
    """Two channels, pooled by a function, two classes."""

    def __init__(self, *, softmax: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(2, 2, bias=False)
        self.softmax = softmax
        self.fails = False
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]).view(2, 3, 1, 1))
            self.head.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, -4.0]]))

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.relu(self.conv(images)).mean((2, 3))
        if self.fails:
            raise RuntimeError("broken midway")
        logits: Tensor = self.head(pooled)
        return logits.softmax(1) if self.softmax else logits


def toy_images(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 4, 4, generator=torch.Generator().manual_seed(3))


def test_by_hand() -> None:
    images = toy_images()
    extraction = SalienceExtractor(TargetHook(Toy(), input_size=4)).extract(images, torch.tensor([0, 1]))
    active = images[:, :2].relu()
    assert torch.equal(extraction.activation, active)
    weights = torch.tensor([[1.0, 2.0], [3.0, -4.0]]) / 16
    assert torch.equal(extraction.gradient, weights.view(2, 2, 1, 1).expand(2, 2, 4, 4))
    torch.testing.assert_close(extraction.logits, active.mean((2, 3)) @ torch.tensor([[1.0, 3.0], [2.0, -4.0]]))


def test_target_none_explains_the_predicted_class() -> None:
    extractor = SalienceExtractor(TargetHook(Toy(), input_size=4))
    free = extractor.extract(toy_images())
    fixed = extractor.extract(toy_images(), free.predicted)
    assert torch.equal(free.predicted, free.logits.argmax(1))
    assert torch.equal(free.gradient, fixed.gradient)


def test_scores_are_taken_before_a_final_softmax() -> None:
    plain = SalienceExtractor(TargetHook(Toy(), input_size=4)).extract(toy_images())
    behind = SalienceExtractor(TargetHook(Toy(softmax=True), input_size=4)).extract(toy_images())
    assert torch.equal(plain.logits, behind.logits)
    assert torch.equal(plain.gradient, behind.gradient)


def test_one_thread_or_two(make_network: Callable[[str], nn.Module], photographs: Tensor) -> None:
    """Of one network, and of these versions of torch: a release that differs is to be noticed."""
    extractor = SalienceExtractor(TargetHook(make_network("resnet18"), input_size=SIDE))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with_two = extractor.extract(photographs)
        torch.set_num_threads(1)
        with_one = extractor.extract(photographs)
    finally:
        torch.set_num_threads(before)
    for name in ("activation", "gradient", "logits"):
        assert torch.equal(getattr(with_one, name), getattr(with_two, name)), name


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_in_place_equals_its_out_of_place_twin(
    name: str, make_network: Callable[[str], nn.Module], photograph: Tensor
) -> None:
    network = make_network(name)
    twin = deepcopy(network)
    for part in twin.modules():
        if "inplace" in vars(part):
            vars(part)["inplace"] = False
    if name == "densenet121":
        features, classifier = twin.get_submodule("features"), twin.get_submodule("classifier")
        twin = nn.Sequential(features, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier)
    found, expected = (
        SalienceExtractor(TargetHook(one, input_size=SIDE)).extract(photograph) for one in (network, twin)
    )
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.activation, expected.activation)
    assert torch.equal(found.gradient, expected.gradient)


def test_cut_equals_a_full_backward_pass(make_network: Callable[[str], nn.Module], photograph: Tensor) -> None:
    network = make_network("resnet18")
    found = SalienceExtractor(TargetHook(network, input_size=SIDE)).extract(photograph)
    kept: list[Tensor] = []
    handle = network.get_submodule("layer4").register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = network(photograph)
    handle.remove()
    gradient = torch.autograd.grad(logits.amax(1).sum(), kept[0])[0]
    assert torch.equal(found.logits, logits)
    assert torch.equal(found.activation, kept[0])
    assert torch.equal(found.gradient, gradient)


def test_batch_of_another_size(make_network: Callable[[str], nn.Module], photographs: Tensor) -> None:
    extractor = SalienceExtractor(TargetHook(make_network("shufflenet_v2_x0_5"), input_size=SIDE))
    together = extractor.extract(photographs)
    alone = extractor.extract(photographs[1:2])
    torch.testing.assert_close(alone.activation[0], together.activation[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(alone.gradient[0], together.gradient[1], rtol=1e-4, atol=1e-6)


def test_layer_by_name(make_network: Callable[[str], nn.Module], photograph: Tensor) -> None:
    network = make_network("resnet18")
    default = SalienceExtractor(TargetHook(network, input_size=SIDE)).extract(photograph)
    named = SalienceExtractor(TargetHook(network, input_size=SIDE, target_layer="layer4")).extract(photograph)
    inner = SalienceExtractor(TargetHook(network, input_size=SIDE, target_layer="layer4.1")).extract(photograph)
    early = SalienceExtractor(TargetHook(network, input_size=SIDE, target_layer="layer3")).extract(photograph)
    for other in (named, inner):
        assert torch.equal(default.activation, other.activation)
        assert torch.equal(default.gradient, other.gradient)
    assert early.activation.shape == early.gradient.shape == (1, 256, 8, 8)
    assert torch.equal(early.logits, default.logits)


def test_activation_is_no_alias_of_what_an_in_place_relu_overwrites(
    make_network: Callable[[str], nn.Module], photograph: Tensor
) -> None:
    network = make_network("densenet121")
    after = SalienceExtractor(TargetHook(network, input_size=SIDE)).extract(photograph)
    before = SalienceExtractor(TargetHook(network, input_size=SIDE, target_layer="features.norm5")).extract(photograph)
    assert float(before.activation.min()) < 0
    assert torch.equal(before.activation.relu(), after.activation)


def test_activation_is_no_alias_of_what_a_shortcut_overwrites() -> None:
    class Overwriting(Toy):
        def __init__(self) -> None:
            super().__init__()
            self.tap = nn.Dropout()

        def forward(self, images: Tensor) -> Tensor:
            features = self.conv(images)
            pooled = self.tap(features).mean((2, 3))
            features.zero_()
            logits: Tensor = self.head(pooled)
            return logits

    for layer in (None, "conv", "tap"):
        extraction = SalienceExtractor(TargetHook(Overwriting(), input_size=4, target_layer=layer)).extract(
            toy_images()
        )
        assert torch.equal(extraction.activation, toy_images()[:, :2])


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


@pytest.mark.parametrize("layer", [None, "conv"])
@pytest.mark.parametrize("fails", [False, True])
def test_model_is_left_as_it_was(layer: str | None, fails: bool) -> None:  # noqa: FBT001
    toy = Toy().train()
    toy.relu.eval()
    toy.head.weight.requires_grad_(False)
    weights = deepcopy(toy.state_dict())
    extractor = SalienceExtractor(TargetHook(toy, input_size=4, target_layer=layer))
    toy.fails = fails
    if fails:
        with pytest.raises(RuntimeError, match="broken midway"):
            extractor.extract(toy_images())
    else:
        extractor.extract(toy_images())
    assert [toy.training, toy.conv.training, toy.relu.training, toy.head.training] == [True, True, False, True]
    assert [parameter.requires_grad for parameter in toy.parameters()] == [True, False]
    assert all(parameter.grad is None for parameter in toy.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in toy.modules())
    assert torch.is_grad_enabled()
    assert not _get_current_function_mode_stack()
    assert all(torch.equal(weights[name], tensor) for name, tensor in toy.state_dict().items())
