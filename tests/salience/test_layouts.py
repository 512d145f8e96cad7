"""A tensor of four dimensions is a feature map only where operations say so, for every image on its own."""

import pytest
import timm
import torch
from torch import Tensor, nn

from app.domain.vocabulary import Layout
from app.errors import InputFailure
from worker.weights.probe import ModelProbe, probe


class Odd(nn.Module):
    """Convolutions, and beside them tensors of four dimensions that are no feature maps of one image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.last_axis = nn.Linear(8, 8)
        self.windows = nn.Identity()
        self.attention = nn.Identity()
        self.neighbours = nn.Conv2d(8, 8, 1)
        self.back = nn.Identity()
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.conv(images)
        inside = self.last_axis(maps.permute(0, 2, 3, 1))
        count, side = len(images), images.shape[-1] // 2
        self.windows(maps.reshape(count, 8, 2, side, 2, side).permute(0, 2, 4, 1, 3, 5).reshape(-1, 8, side, side))
        tokens = maps.flatten(2)
        self.attention((tokens @ tokens.transpose(1, 2))[:, None])
        self.neighbours(maps - maps.mean(0, keepdim=True))
        logits: Tensor = self.head(self.back(inside.permute(0, 3, 1, 2)).mean((2, 3)))
        return logits


def names_of(found: ModelProbe) -> list[str]:
    return [layer.name for layer in found.candidate_layers]


def test_only_feature_maps_of_one_image_are_candidates() -> None:
    torch.manual_seed(2)
    found = probe(Odd().eval(), input_size=16, target_layer=None)
    assert names_of(found) == ["conv", "last_axis", "back"]
    layers = {layer.name: layer for layer in found.candidate_layers}
    assert (layers["last_axis"].layout, layers["back"].layout) == (Layout.NHWC, Layout.NCHW)
    assert (found.target_layer, found.map_height, found.map_width) == ("back", 16, 16)


@pytest.mark.parametrize("name", ["windows", "attention", "neighbours"])
def test_the_others_are_refused_by_name_too(name: str) -> None:
    torch.manual_seed(2)
    with pytest.raises(InputFailure, match="conv, last_axis, back") as caught:
        probe(Odd().eval(), input_size=16, target_layer=name)
    assert caught.value.code == "target-layer-not-found"


class Gated(nn.Module):
    """The only pooling that leaves nothing of rows and columns is a gate's: what follows ends in no pooling known."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.gate = nn.Conv2d(4, 4, 1)
        self.last = nn.Conv2d(4, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.stem(images)
        maps = self.last(maps * self.gate(maps.mean((2, 3), keepdim=True)).sigmoid())
        logits: Tensor = self.head(torch.einsum("nchw->nc", maps))
        return logits


def test_a_gate_of_an_earlier_stage_is_no_default() -> None:
    with pytest.raises(InputFailure, match=r"stem, last\.") as caught:
        probe(Gated().eval(), input_size=16, target_layer=None)
    assert caught.value.code == "target-layer-not-found"


def test_efficientvim_ends_in_its_last_map() -> None:
    torch.manual_seed(0)
    found = probe(timm.create_model("efficientvim_m1", num_classes=3).eval(), input_size=128, target_layer=None)
    assert (found.target_layer, found.map_channels, found.map_height) == ("norm.3", 320, 2)


def test_a_convolution_as_large_as_the_map_is_a_flattening() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 6), nn.Flatten())
    found = probe(network.eval(), input_size=8, target_layer=None)
    assert (found.target_layer, found.map_height) == ("1", 6)


class AskingLate(nn.Module):
    """Asks the images for their number after pooling, as ``logits.view(images.size(0), -1)`` does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.conv(images).mean((2, 3))
        logits: Tensor = self.head(pooled).view(images.size(0), images.shape[0] // len(images) * 3)
        return logits


def test_to_ask_for_a_shape_is_no_work_on_a_feature_map() -> None:
    assert probe(AskingLate(), input_size=32, target_layer=None).target_layer == "conv"
