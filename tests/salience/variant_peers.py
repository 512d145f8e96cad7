"""Methods that send many variants of an image through a network as other tools have them, and a small network."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torchcam.methods import ISCAM, SSCAM

from app.domain.vocabulary import CamMethod
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.salience.pixel_gradients import COPIES, SPREAD

SIDE = 64
TOLERANCE = 2e-5
DRAWS = Draws(3, ("first", "second"))
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


def maps_of(method: CamMethod, network: nn.Module, images: Tensor, target: Tensor | None = None) -> Tensor:
    found = make_explainer(method, TargetHook(network, input_size=SIDE)).explain(images, target, DRAWS)
    assert torch.equal(found.predicted, found.logits.argmax(1))
    maps, constant = min_max(found.maps)
    assert not constant.any(), "a constant map proves nothing"
    return maps
