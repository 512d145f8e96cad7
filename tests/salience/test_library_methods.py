"""The methods that pytorch-grad-cam computes, against the library used by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torchvision.models import VisionTransformer

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from tests.salience.conftest import SIDE
from worker.functional.quantization import min_max
from worker.salience import CAM_METHODS, OF_ATTENTION, OF_EXTRACTOR, OF_NETWORK, PIXEL_METHODS, make_explainer
from worker.salience.hook import TargetHook
from worker.salience.library import LIBRARY_METHODS

TOLERANCE = 5e-6
SMALL = 96


class Small(nn.Module):
    """Few channels, since two of the methods make a pass for each; the last ReLU is a function, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 7, stride=8)
        self.norm = nn.BatchNorm2d(6)
        self.features = nn.Conv2d(6, 8, 3, stride=2)
        self.head = nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features(nn.functional.relu(self.norm(self.stem(images))))
        pooled: Tensor = nn.functional.relu(features, inplace=True).mean((2, 3))
        logits: Tensor = self.head(pooled)
        return logits


@pytest.fixture
def small() -> nn.Module:
    torch.manual_seed(11)
    return Small().eval()


def by_hand(method: CamMethod, small: Any, images: Tensor, targets: list[int]) -> Tensor:
    """The same network with that ReLU as a module of its own: hooks on it see what enters the pooling."""
    body = nn.Sequential(small.stem, small.norm, nn.ReLU(), small.features, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    network = nn.Sequential(*body, nn.Flatten(), small.head)
    cam = LIBRARY_METHODS[method](network, [] if method is CamMethod.FULLGRAD else [network[4]])
    if method is not CamMethod.FULLGRAD:
        cam.get_target_width_height = lambda _images: None
    maps = torch.from_numpy(cam(images.clone(), [ClassifierOutputTarget(target) for target in targets]))
    cam.activations_and_grads.release()
    network.zero_grad()
    return maps


def test_every_method_has_one_way() -> None:
    ways = [set(LIBRARY_METHODS), OF_EXTRACTOR, OF_NETWORK, set(PIXEL_METHODS), set(OF_ATTENTION)]
    assert sorted(method for way in ways for method in way) == sorted(CamMethod)
    assert {method for method, spec in METHOD_SPECS.items() if spec.from_library} == set(LIBRARY_METHODS)
    assert {method for method, spec in METHOD_SPECS.items() if spec.of_one_pair} == set(CAM_METHODS)


def test_kpca_cam_of_many_cells_is_the_same_wherever_an_image_lies(photographs: Tensor) -> None:
    """Above 200 the library's own begins at a random vector."""
    torch.manual_seed(7)
    layers = nn.Conv2d(3, 6, 8, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    explainer = make_explainer(CamMethod.KPCA_CAM, TargetHook(nn.Sequential(*layers).eval(), input_size=SIDE))
    first, again = explainer.explain(photographs, None).maps, explainer.explain(photographs.flip(0), None).maps.flip(0)
    assert first[0].numel() > 200
    assert torch.equal(first, again)


@pytest.mark.parametrize("method", LIBRARY_METHODS)
def test_same_as_the_library_by_hand(method: CamMethod, small: nn.Module, photographs: Tensor) -> None:
    found = make_explainer(method, TargetHook(small, input_size=SIDE)).explain(photographs, torch.tensor([0, 3, 1]))
    expected = by_hand(method, small, photographs, [0, 3, 1])
    assert found.maps.shape == expected.shape
    assert found.maps.shape[-1] == (SIDE if METHOD_SPECS[method].at_input_resolution else 7)
    maps, constant = min_max(found.maps)
    assert not constant.any()
    assert float((maps - min_max(expected)[0]).abs().max()) < TOLERANCE
    torch.testing.assert_close(found.logits, small(photographs).detach())
    assert torch.equal(found.predicted, found.logits.argmax(1))


@pytest.mark.parametrize("method", [CamMethod.EIGENGRADCAM, CamMethod.SHAPLEYCAM])
def test_no_target_explains_the_predicted_class(method: CamMethod, small: nn.Module, photographs: Tensor) -> None:
    explainer = make_explainer(method, TargetHook(small, input_size=SIDE))
    free = explainer.explain(photographs, None)
    assert torch.equal(free.maps, explainer.explain(photographs, free.predicted).maps)


@pytest.mark.parametrize("method", LIBRARY_METHODS)
def test_model_is_left_as_it_was(
    method: CamMethod, small: nn.Module, photographs: Tensor, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {name: value.clone() for name, value in small.state_dict().items()}
    explainer = make_explainer(method, TargetHook(small, input_size=SIDE))
    for _ in range(2):
        explainer.explain(photographs, None)
    assert all(torch.equal(before[name], value) for name, value in small.state_dict().items())
    assert all(parameter.grad is None for parameter in small.parameters())
    assert not any(part._forward_hooks or part._backward_hooks for part in small.modules())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("method", [CamMethod.GRADCAM_ELEMENTWISE, CamMethod.FEM, CamMethod.FULLGRAD])
@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
def test_real_networks(
    method: CamMethod, name: str, make_network: Callable[[str], nn.Module], photographs: Tensor
) -> None:
    """Small, since FullGrad makes a map of every layer that has a bias."""
    network, images = make_network(name), nn.functional.interpolate(photographs[:2], (SMALL, SMALL), mode="area")
    found = make_explainer(method, TargetHook(network, input_size=SMALL)).explain(images, None)
    assert torch.isfinite(found.maps).all()
    assert not min_max(found.maps)[1].any()


def by_formula(network: nn.Module, layer: nn.Module, images: Tensor, targets: list[int]) -> Tensor:
    """ShapleyCAM (arXiv 2501.06261): channels weighted by the mean of the gradient less half the Hessian's product with
    the activation; tokens before the grid are no part of the map.
    """
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with sdpa_kernel(SDPBackend.MATH):
        score = network(images).gather(1, torch.tensor(targets).view(-1, 1)).sum()
    handle.remove()
    (gradient,) = torch.autograd.grad(score, seen, create_graph=True)
    activation = seen[0].detach().clone()
    activation[:, : 1 if activation.dim() == 3 else 0] = 0
    (product,) = torch.autograd.grad(gradient, seen, activation)
    weights = (gradient - product / 2).detach()
    if activation.dim() == 3:
        side = int((activation.shape[1] - 1) ** 0.5)
        weights, activation = (each[:, 1:].mT.reshape(len(each), -1, side, side) for each in (weights, activation))
    return (weights.mean((2, 3), keepdim=True) * activation).sum(1).relu()


def flattening() -> nn.Module:
    """As VGG ends: what is behind the target layer begins with a view of it."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 16, stride=16), nn.Sigmoid(), nn.Flatten(), nn.Linear(6 * 16, 8), nn.Tanh(), nn.Linear(8, 4)
    )


def attending() -> nn.Module:
    network: nn.Module = VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=4)
    nn.init.normal_(network.get_parameter("heads.head.weight"))
    return network


@pytest.mark.parametrize("make", [flattening, attending])
def test_shapleycam_where_gradients_are_views_and_attention_comes_after(
    make: Callable[[], nn.Module], photographs: Tensor
) -> None:
    """The library could not let go of the one, and torch's fast attention cannot be differentiated twice."""
    torch.manual_seed(5)
    network, images = make().eval(), nn.functional.interpolate(photographs[:2], (64, 64), mode="area")
    hook = TargetHook(network, input_size=64)
    found = make_explainer(CamMethod.SHAPLEYCAM, hook).explain(images, torch.tensor([0, 3]))
    expected = by_formula(network, network.get_submodule(hook.layer.name), images, [0, 3])
    maps, constant = min_max(found.maps)
    assert not constant.any()
    assert float((maps - min_max(expected)[0]).abs().max()) < 2e-5


def test_what_the_library_cannot_do_is_an_input_failure(photographs: Tensor) -> None:
    class Twice(nn.Module):
        """A layer with a bias that is used twice, which FullGrad does not expect."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, stride=4)
            self.head = nn.Linear(3, 2)

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.head(self.conv(self.conv(images)).mean((2, 3)))
            return logits

    explainer = make_explainer(CamMethod.FULLGRAD, TargetHook(Twice().eval(), input_size=SIDE))
    with pytest.raises(InputFailure, match="fullgrad cannot handle this model") as caught:
        explainer.explain(photographs, None)
    assert caught.value.code == "cam-method-failed"
