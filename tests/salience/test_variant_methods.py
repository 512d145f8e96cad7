"""Methods that send many variants of an image through a network, against TorchCAM, Captum and pytorch-grad-cam."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchcam.methods import CAM, SmoothGradCAMpp

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from tests.salience.variant_peers import PEERS, SIDE, TOLERANCE, Prepared, drawn, maps_of, small, torchcam
from worker.functional.quantization import min_max
from worker.salience import smoothing


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


@pytest.mark.parametrize("method", [CamMethod.OCCLUSION, CamMethod.SMOOTH_GRADCAM_PLUS_PLUS, CamMethod.SMOOTHGRAD])
@pytest.mark.parametrize("name", ["densenet121", "swin_t"])
def test_real_networks(method: CamMethod, name: str, make_network: Callable[[str], nn.Module], images: Tensor) -> None:
    maps = maps_of(method, make_network(name), images)
    assert maps.shape == (2, *((SIDE, SIDE) if METHOD_SPECS[method].at_input_resolution else (2, 2)))
