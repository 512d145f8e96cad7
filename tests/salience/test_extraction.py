"""The cut graph: bit-equal to a full backward pass, and it leaves no trace in the model."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack

from tests.salience.conftest import SIDE
from tests.salience.toy import Toy, toy_images
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook


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
