"""Methods that send many variants of an image through a network, against TorchCAM, Captum and pytorch-grad-cam."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torchcam.methods import CAM, ISCAM, SSCAM, SmoothGradCAMpp

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.engine.measuring import ModelAuditor
from worker.engine.normalisation import Normalisation
from worker.functional.quantization import min_max
from worker.salience import VARIANT_METHODS, make_explainer, one_by_one, pixel_gradients, smoothing
from worker.salience.draws import Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook
from worker.salience.pixel_gradients import COPIES, SPREAD
from worker.salience.signs_of_life import telling
from worker.views.base import ImageBatch

SIDE = 64
TOLERANCE = 2e-5
DRAWS = Draws(3, ("first", "second"))
OF_VARIANTS = [
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS,
    *VARIANT_METHODS,
    CamMethod.INTEGRATED_GRADIENTS,
    CamMethod.SMOOTHGRAD,
]
Peer = Callable[[nn.Module, Tensor, list[int]], Tensor]


class Small(nn.Module):
    """Few channels, since two of the methods make hundreds of passes for each."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 5, stride=4, padding=2)
        self.last = nn.Conv2d(6, 5, 4, stride=4)
        self.relu = nn.ReLU(inplace=True)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.relu(self.last(self.stem(images).relu())).mean((2, 3))
        logits: Tensor = self.head(pooled)
        return logits


def small(*, bent: bool = True) -> nn.Module:
    """With a head that is linear, or not."""
    torch.manual_seed(4)
    linear = nn.Linear(5, 4)
    return Small(nn.Sequential(nn.Linear(5, 5), nn.Tanh(), linear) if bent else linear).eval()


class Prepared:
    """Hands out what was drawn before, in the order in which TorchCAM asks."""

    def __init__(self, *noises: Tensor) -> None:
        self.left = list(noises)

    def sample(self, size: torch.Size) -> Tensor:
        assert self.left[0].shape == size
        return self.left.pop(0)


def drawn(method: CamMethod, *shape: int) -> Tensor:
    """(N, draws, ...) of both images."""
    streams = (DRAWS.stream(place, method) for place in range(2))
    return torch.from_numpy(np.stack([stream.standard_normal(shape, np.float32) for stream in streams]))


def torchcam(cam: Any, network: nn.Module, images: Tensor, classes: list[int], noises: Tensor | None = None) -> Tensor:
    if noises is not None:
        cam._distrib = Prepared(*noises.unbind(1))
    with cam:
        network(images)
        maps: Tensor = cam(classes, normalized=False)[0]
    return maps


def of_library(kind: Any, network: Any, images: Tensor, classes: list[int]) -> Tensor:
    with kind(network, [network.relu]) as cam:
        cam.get_target_width_height = lambda _images: None
        return torch.from_numpy(cam(images.clone(), [ClassifierOutputTarget(index) for index in classes]))


def of_sscam(network: nn.Module, images: Tensor, classes: list[int]) -> Tensor:
    noises = 2 * drawn(CamMethod.SSCAM, 35, 5, SIDE, SIDE)
    return torchcam(SSCAM(network, "relu"), network, images, classes, noises)


def of_iscam(network: nn.Module, images: Tensor, classes: list[int]) -> Tensor:
    return torchcam(ISCAM(network, "relu"), network, images, classes)


def of_occlusion(network: nn.Module, images: Tensor, classes: list[int]) -> Tensor:
    window = (3, SIDE // 4, SIDE // 4)
    falls: Tensor = Occlusion(network).attribute(images, window, window, target=torch.tensor(classes))
    return falls[:, 0, 8::16, 8::16].relu()


def of_integrated_gradients(network: nn.Module, images: Tensor, classes: list[int]) -> Tensor:
    found: Tensor = IntegratedGradients(network).attribute(images, target=torch.tensor(classes), n_steps=50)
    return found.detach().sum(1).abs()


def of_smoothgrad(network: nn.Module, images: Tensor, classes: list[int]) -> Tensor:
    noise = drawn(CamMethod.SMOOTHGRAD, COPIES, 3, SIDE, SIDE)
    spread = SPREAD * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1, 1)
    copies = (images[:, None] + spread * noise).flatten(0, 1).requires_grad_()
    target = torch.tensor(classes).repeat_interleave(COPIES)
    found: Tensor = Saliency(network).attribute(copies, target=target, abs=False)
    return found.detach().view(2, COPIES, 3, SIDE, SIDE).mean(1).abs().sum(1)


PEERS: dict[CamMethod, Peer] = {
    CamMethod.SCORECAM: partial(of_library, pytorch_grad_cam.ScoreCAM),
    CamMethod.ABLATIONCAM: partial(of_library, pytorch_grad_cam.AblationCAM),
    CamMethod.SSCAM: of_sscam,
    CamMethod.ISCAM: of_iscam,
    CamMethod.OCCLUSION: of_occlusion,
    CamMethod.INTEGRATED_GRADIENTS: of_integrated_gradients,
    CamMethod.SMOOTHGRAD: of_smoothgrad,
}


@pytest.fixture
def images(photographs: Tensor) -> Tensor:
    return nn.functional.interpolate(photographs[:2], (SIDE, SIDE), mode="area")


def maps_of(method: CamMethod, network: nn.Module, images: Tensor, target: Tensor | None = None) -> Tensor:
    found = make_explainer(method, TargetHook(network, input_size=SIDE)).explain(images, target, DRAWS)
    assert torch.equal(found.predicted, found.logits.argmax(1))
    maps, constant = min_max(found.maps)
    assert not constant.any(), "a constant map proves nothing"
    return maps


@pytest.mark.parametrize("method", PEERS)
def test_same_as_the_other_tool(method: CamMethod, images: Tensor) -> None:
    expected = min_max(PEERS[method](small(), images, [0, 3]))[0]
    found = maps_of(method, small(), images, torch.tensor([0, 3]))
    assert found.shape[-1] == (SIDE if METHOD_SPECS[method].at_input_resolution else 4)
    assert float((found - expected).abs().max()) < TOLERANCE


class Signed(nn.Module):
    """Forty channels with negative cells at the target layer, in an order of its own."""

    def __init__(self, order: Tensor) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.stem = nn.Conv2d(3, 40, 16, stride=16)
        self.head = nn.Linear(40, 4)
        self.order = order

    def forward(self, images: Tensor) -> Tensor:
        features = nn.functional.silu(self.stem(images))[:, self.order]
        logits: Tensor = self.head(features.mean((2, 3))[:, self.order.argsort()])
        return logits


def zeroed(network: Signed, images: Tensor, classes: list[int]) -> Tensor:
    """Ablation-CAM by its formula: channel by channel, with NumPy's sums in float64."""
    features = nn.functional.silu(network.stem(images)).detach()
    places = torch.arange(len(images))
    scores = network.head(features.mean((2, 3)))[places, classes]
    total = np.zeros((len(images), 4, 4))
    for channel in range(40):
        without = features.clone()
        without[:, channel] = 0
        left = network.head(without.mean((2, 3)))[places, classes]
        share = ((scores - left) / scores).detach().double().numpy()
        total += share[:, None, None] * features[:, channel].double().numpy()
    return torch.from_numpy(total).relu()


def test_ablation_where_the_feature_map_has_negative_cells(images: Tensor) -> None:
    """There pytorch-grad-cam's is none: its maps change with the order of the channels."""
    orders = torch.arange(40), torch.arange(40).flip(0)
    found = [maps_of(CamMethod.ABLATIONCAM, Signed(order).eval(), images, torch.tensor([0, 3])) for order in orders]
    expected = min_max(zeroed(Signed(orders[0]), images, [0, 3]))[0]
    assert float((found[0] - expected).abs().max()) < TOLERANCE
    assert float((found[0] - found[1]).abs().max()) < TOLERANCE


@pytest.mark.parametrize("method", [one for one in OF_VARIANTS if one is not CamMethod.SMOOTH_GRADCAM_PLUS_PLUS])
def test_there_are_signs_of_life_before_the_first_map_is_made(method: CamMethod, images: Tensor) -> None:
    """Of those that pass variants, so that a batch of them may take longer than one pass is allowed to."""
    told: list[int] = []
    with telling(lambda: told.append(1)):
        maps_of(method, small(), images)
    assert len(told) >= 2


def test_cam_is_torchcams(images: Tensor) -> None:
    network = small(bent=False)
    expected = min_max(torchcam(CAM(network, "relu", "head"), network, images, [0, 3]))[0]
    assert float((maps_of(CamMethod.CAM, network, images, torch.tensor([0, 3])) - expected).abs().max()) < TOLERANCE


def test_cam_is_refused_where_the_head_is_not_one_linear_layer(images: Tensor) -> None:
    with pytest.raises(InputFailure, match="more than a mean over all cells and one linear layer") as caught:
        maps_of(CamMethod.CAM, small(), images)
    assert caught.value.code == "cam-method-not-possible"


@pytest.mark.parametrize("copies", [1, 4])
def test_smooth_gradcam_plus_plus(copies: int, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """TorchCAM's weights, on the clean feature map where it takes that of its last copy. It takes the gradient of that
    copy, too, where the paper has the mean: the same of one copy, or a linear head.
    """
    monkeypatch.setattr(smoothing, "COPIES", copies)
    network, method = small(bent=copies == 1), CamMethod.SMOOTH_GRADCAM_PLUS_PLUS
    with SmoothGradCAMpp(network, "relu", num_samples=copies) as cam:
        cam._distrib = Prepared(*(0.3 * drawn(method, copies, 3, SIDE, SIDE)).unbind(1))  # type: ignore[assignment]
        network(images)
        activation = cam.hook_a[0].clone()
        (weights,) = cam._get_weights([0, 3])
    expected = min_max((weights[:, :, None, None] * activation).sum(1).relu())[0]
    assert float((maps_of(method, network, images, torch.tensor([0, 3])) - expected).abs().max()) < TOLERANCE


@pytest.mark.parametrize("method", OF_VARIANTS)
def test_a_map_depends_on_its_image_and_name_alone(method: CamMethod, images: Tensor) -> None:
    explainer = make_explainer(method, TargetHook(small(), input_size=SIDE))
    there = explainer.explain(images, None, DRAWS).maps
    turned = explainer.explain(images.flip(0), None, Draws(3, ("second", "first"))).maps.flip(0)
    alone = explainer.explain(images[1:], None, Draws(3, ("second",))).maps
    assert torch.allclose(turned, there, rtol=1e-5, atol=1e-7)
    assert torch.allclose(alone, there[1:], rtol=1e-5, atol=1e-7)
    other = explainer.explain(images, None, Draws(4, DRAWS.samples)).maps
    assert METHOD_SPECS[method].draws != torch.equal(other, there)


@pytest.mark.parametrize("method", OF_VARIANTS)
def test_few_variants_are_in_memory_at_once(method: CamMethod, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    network, most = small(), []
    network.register_forward_pre_hook(lambda _module, inputs: most.append(len(inputs[0])))
    make_explainer(method, TargetHook(network, input_size=SIDE)).explain(images, None, DRAWS)
    assert max(most) <= max(one_by_one.VARIANTS, pixel_gradients.AT_A_TIME)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("method", [CamMethod.OCCLUSION, CamMethod.SMOOTH_GRADCAM_PLUS_PLUS, CamMethod.SMOOTHGRAD])
@pytest.mark.parametrize("name", ["densenet121", "swin_t"])
def test_real_networks(method: CamMethod, name: str, make_network: Callable[[str], nn.Module], images: Tensor) -> None:
    maps = maps_of(method, make_network(name), images)
    assert maps.shape == (2, *((SIDE, SIDE) if METHOD_SPECS[method].at_input_resolution else (2, 2)))


@pytest.mark.parametrize(("method", "passed"), [(CamMethod.OCCLUSION, 2), (CamMethod.GRADCAM, 16)])
def test_a_short_batch_is_filled_up_only_where_images_go_together(
    method: CamMethod, passed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or two images of a method that makes thousands of passes for each would cost what sixteen do."""
    explainer = make_explainer(method, TargetHook(small(), input_size=SIDE))
    counts: list[int] = []

    def explain(images: Tensor, target: Tensor | None, draws: Draws) -> Explanation:
        counts.append(len(images))
        return Explanation(torch.zeros(len(images), 4), torch.zeros(len(images)), torch.ones(len(images), 4, 4))

    monkeypatch.setattr(explainer, "explain", explain)
    preprocessing = Preprocessing(input_size=SIDE, mean=(0.5,) * 3, std=(0.5,) * 3)
    asked = {"salience": {"method": method}, "measures": {"entropy": {}}, "micro_batch": 16}
    auditor = ModelAuditor(
        explainer, Normalisation(preprocessing, 3), ProtocolRequest.model_validate(asked).resolve(), ()
    )
    batch = ImageBatch(torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8), tuple(DRAWS.samples))
    found = auditor.audit(batch, torch.zeros(2, dtype=torch.int64))
    assert (counts, len(found.clean.predicted)) == ([passed], 2)
