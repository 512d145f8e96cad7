"""Maps of tokens and of NHWC against pytorch-grad-cam with the reshape_transform that its users write."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_grad_cam import EigenGradCAM, GradCAM, GradCAMPlusPlus, LayerCAM
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod, Layout
from tests.salience.transformer_cases import CASES, Case, made
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.probe import probe

TOLERANCE = 2e-5
IMAGES = 2


def tokens(output: Tensor, prefix: int, height: int, width: int) -> Tensor:
    return output[:, prefix:].reshape(len(output), height, width, -1).permute(0, 3, 1, 2)


def unturned(output: Tensor) -> Tensor:
    return output


def nhwc(output: Tensor, *_: int) -> Tensor:
    return output.permute(0, 3, 1, 2)


def pictures(size: int) -> Tensor:
    return torch.randn(IMAGES, 3, size, size, generator=torch.Generator().manual_seed(3))


class Unpacking(nn.Module):
    """A block of transformers with a module that puts out its tensor as it is, for the library to hook."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block
        self.tensor = nn.Identity()

    def forward(self, *given: Any) -> tuple[Any, ...]:
        first, *rest = self.block(*given)
        return (self.tensor(first), *rest)


def hookable(network: nn.Module, name: str) -> str:
    """The name of a module of a changed ``network`` that puts out the block's tensor as it is."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, Unpacking(network.get_submodule(name)))
    return f"{name}.tensor"


def expected(
    network: nn.Module,
    name: str,
    images: Tensor,
    classes: Tensor,
    to_nchw: Callable[..., Tensor],
    method: type[BaseCAM] = GradCAM,
) -> Tensor:
    """The library's own maps before it enlarges them."""
    layer = network.get_submodule(name)
    targets = [ClassifierOutputTarget(index) for index in classes.tolist()]
    with method(network, [layer], reshape_transform=to_nchw) as cam:
        cam(images, targets)
        seen = cam.activations_and_grads
        pair = seen.activations[0].numpy(), seen.gradients[0].numpy()
        raw = cam.get_cam_image(images, layer, targets, *pair, eigen_smooth=False)
    return torch.from_numpy(np.maximum(raw, 0))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_layouts_and_maps(case: Case) -> None:
    network = made(case)
    found = probe(network, input_size=case.size, target_layer=None)
    layers = {layer.name: layer for layer in found.candidate_layers}
    shown = layers[found.target_layer]
    assert (shown.name, shown.layout, shown.grid, shown.prefix_tokens) == (
        case.layer, case.layout, case.grid, case.prefix,
    )  # fmt: skip
    images = pictures(case.size)
    for wanted in (case.documented, None) if case.documented else (None,):
        layer = layers[wanted or found.target_layer]
        hook = TargetHook(network, input_size=case.size, target_layer=wanted)
        seen = make_explainer(CamMethod.GRADCAM, hook).explain(images, None)
        maps, constant = min_max(seen.maps)
        assert not constant.any(), "a constant map proves nothing"
        turns = {Layout.NHWC: nhwc, Layout.NCHW: unturned}
        turn = turns.get(layer.layout) or partial(
            tokens, prefix=layer.prefix_tokens, height=layer.height, width=layer.width
        )
        name = hookable(network, layer.name) if case.packed and wanted is None else layer.name
        wanted_maps, _ = min_max(expected(network, name, images, seen.predicted, turn))
        assert float((maps - wanted_maps).abs().max()) < TOLERANCE


@pytest.mark.parametrize(
    ("method", "library"),
    [
        (CamMethod.LAYERCAM, LayerCAM),
        (CamMethod.GRADCAM_PLUS_PLUS, GradCAMPlusPlus),
        (CamMethod.EIGENGRADCAM, EigenGradCAM),
    ],
)
def test_every_method_gets_tokens_as_a_feature_map(method: CamMethod, library: type[BaseCAM]) -> None:
    network, images = made(CASES["DeiT, distilled"]), pictures(64)
    seen = make_explainer(method, TargetHook(network, input_size=64)).explain(images, None)
    turn = partial(tokens, prefix=2, height=4, width=4)
    wanted = expected(network, "blocks.1.norm1", images, seen.predicted, turn, library)
    difference = (min_max(seen.maps)[0] - min_max(wanted)[0]).abs().max()
    assert float(difference) < TOLERANCE
