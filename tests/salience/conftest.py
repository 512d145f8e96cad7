"""Real photographs and seeded random networks whose salience maps are not constant."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from skimage import data
from torch import Tensor, nn

NETWORKS = (
    "resnet18",
    "shufflenet_v2_x0_5",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "squeezenet1_1",
    "vgg11",
    "densenet121",
    "swin_t",
)
CLASSES = 5
SIDE = 128
"""Of the images: what is compared does not depend on it, and 224 pixels would take three times as long."""


@pytest.fixture(scope="session")
def photographs() -> Tensor:
    """(3, 3, SIDE, SIDE) float32, normalised as for ImageNet."""
    arrays = [
        np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        for image in (data.astronaut(), data.chelsea(), data.coffee())
    ]
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)


@pytest.fixture
def images(photographs: Tensor) -> Tensor:
    """Two, half as large, for methods that make hundreds of passes for each."""
    return nn.functional.interpolate(photographs[:2], (SIDE // 2, SIDE // 2), mode="area")


@pytest.fixture(scope="session")
def photograph(photographs: Tensor) -> Tensor:
    """(1, 3, SIDE, SIDE), for what does not depend on the batch."""
    return photographs[:1]


@pytest.fixture(scope="session")
def make_network(photographs: Tensor) -> Callable[[str], nn.Module]:
    """A network by its torchvision name, in eval mode: a copy with the same weights at every call."""

    @cache
    def make(name: str) -> nn.Module:
        torch.manual_seed(20_230)
        network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=CLASSES)
        norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.3)
        if norms:
            with torch.no_grad():
                network.train()(photographs)
        for part in network.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.05)
        return network.eval()

    return lambda name: deepcopy(make(name))


@pytest.fixture(scope="session", params=NETWORKS)
def network(request: pytest.FixtureRequest, make_network: Callable[[str], nn.Module]) -> tuple[str, nn.Module]:
    """Every network in turn, with its name."""
    return request.param, make_network(request.param)
