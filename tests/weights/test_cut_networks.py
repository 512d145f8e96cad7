"""Networks that their owners cut open and put together as one Sequential are known by their layers' order."""

from functools import partial

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from app.errors import InputFailure
from tests.weights.headed_networks import (
    DROPOUT,
    LINEAR,
    RELU,
    SEQUENTIAL,
    assert_same_outputs,
    declared,
    file_of,
    rebuilt,
    used,
)
from tests.weights.weight_files import fitted
from worker.weights.probe import probe


class FastaiHead(nn.Sequential):
    """As fastai's ``create_head`` makes it, without its library: the largest values come before the means."""

    class Pool(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ap, self.mp = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)

        def forward(self, maps: Tensor) -> Tensor:
            return torch.cat([self.mp(maps), self.ap(maps)], 1)

    def __init__(self, channels: int) -> None:
        wide = 2 * channels
        hidden = (nn.BatchNorm1d(wide), nn.Dropout(0.25), LINEAR(wide, 512, bias=False), nn.ReLU(inplace=True))
        last = (nn.BatchNorm1d(512), nn.Dropout(0.5), LINEAR(512, 2, bias=False))
        super().__init__(FastaiHead.Pool(), nn.Flatten(), *hidden, *last)


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_fastai(library: str) -> None:
    torch.manual_seed(3)
    made = {"torchvision": torchvision.models.resnet18, "timm": partial(timm.create_model, "resnet18")}[library]()
    body = SEQUENTIAL(*list(made.children())[:-2])
    network = used(SEQUENTIAL(body, FastaiHead(512)))
    content, head = file_of(network), FASTAI
    with pytest.raises(InputFailure) as refused:
        fitted(content, f"{library}/resnet18")
    assert refused.value.facts == {"suggested_head": head}
    found = fitted(content, f"{library}/resnet18", head=declared(head))
    assert_same_outputs(found, network)
    assert probe(rebuilt(found), input_size=64, target_layer=None).target_layer == "layer4"


FASTAI = ["concatpool", "flatten", "batchnorm", DROPOUT, {"linear": 512}, RELU, "batchnorm", DROPOUT, {"linear": 2}]


@pytest.mark.parametrize(
    ("name", "left_out", "features"),
    [
        ("resnet18", 2, 512), ("mobilenet_v2", 1, 1280), ("mobilenet_v3_small", 2, 576), ("efficientnet_b0", 2, 1280),
        ("shufflenet_v2_x0_5", 1, 1024), ("mnasnet0_5", 1, 1280), ("regnet_y_400mf", 2, 440),
    ],
)  # fmt: skip
def test_children_one_after_the_other(name: str, left_out: int, features: int) -> None:
    """``nn.Sequential(*network.children())`` without the last ones, then pooling and a layer."""
    torch.manual_seed(3)
    children = list(torchvision.models.get_model(name, weights=None).children())[:-left_out]
    network = SEQUENTIAL(*children, nn.AdaptiveAvgPool2d(1), nn.Flatten(), LINEAR(features, 2)).eval()
    found = fitted(file_of(network), name)
    assert found.facts["spelling"].value == "torch.nn.Sequential"
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(found)(images), network(images), rtol=1e-5, atol=1e-6)


def test_features_alone() -> None:
    torch.manual_seed(3)
    backbone = torchvision.models.mobilenet_v2().features
    pooled = SEQUENTIAL(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    last = LINEAR(1280, 2)
    mine = nn.ModuleDict({"backbone": backbone, "fc": last}).eval()
    assert_same_outputs(fitted(file_of(mine), "mobilenet_v2"), SEQUENTIAL(backbone, pooled, last))
