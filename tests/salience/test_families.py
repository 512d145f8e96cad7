"""The table of families: checked against what the operations say, never believed alone."""

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from app.errors import InputFailure
from worker.salience.families import layer_named
from worker.weights.probe import probe


def tiny() -> nn.Module:
    torch.manual_seed(5)
    options: dict[str, Any] = {"depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": 64}
    network: nn.Module = timm.create_model("vit_tiny_patch16_224", num_classes=3, **options)
    return network.eval()


class Shuffling(nn.Module):
    """Patches that change places: what comes out lies on no grid."""

    def forward(self, patches: Tensor) -> Tensor:
        return patches[:, torch.randperm(patches.shape[1], generator=torch.Generator().manual_seed(1))]


class Sorting(nn.Module):
    """Patches in an order that depends on the image."""

    def forward(self, patches: Tensor) -> Tensor:
        order = patches.sum(-1, keepdim=True).argsort(1).expand_as(patches)
        return torch.gather(patches, 1, order)


@pytest.mark.parametrize("kind", [Shuffling, Sorting])
def test_a_family_whose_tokens_are_no_grid_is_refused(kind: type[nn.Module]) -> None:
    network = tiny()
    network.patch_drop = kind()
    with pytest.raises(InputFailure, match=r"explained at blocks\.1\.norm1, but no feature map") as caught:
        probe(network, input_size=64, target_layer=None)
    assert caught.value.code == "target-layer-not-found"


def test_children_are_counted_from_the_end() -> None:
    network = tiny()
    assert layer_named(network, "blocks.-1.norm1") == "blocks.1.norm1"
    assert layer_named(network, "blocks.-2.norm1") == "blocks.0.norm1"
    assert layer_named(network, "blocks.-3.norm1") is None
    assert layer_named(network, "nowhere.norm1") is None


@pytest.mark.parametrize("written", ["blocks[-1].norm1", "model.blocks[1].norm1", "blocks.1.norm1"])
def test_a_layer_may_be_written_as_in_python(written: str) -> None:
    assert probe(tiny(), input_size=64, target_layer=written).target_layer == "blocks.1.norm1"


def test_an_index_beyond_the_end_is_refused() -> None:
    with pytest.raises(InputFailure, match=r"no layer 'blocks\[9\]\.norm1'") as caught:
        probe(tiny(), input_size=64, target_layer="blocks[9].norm1")
    assert caught.value.code == "target-layer-not-found"
