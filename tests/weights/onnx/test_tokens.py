"""Graphs of tokens: Grad-CAM in closed form behind a mean of all of them, else ReciproCAM as in torch, and RISE."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
import timm
import torch
import torchvision
from timm.models.mlp_mixer import MlpMixer
from torch import Tensor, nn

from app.domain.models.outputs import CLASSES
from app.domain.vocabulary import CamMethod, Layout
from app.errors import InputFailure
from tests.weights.onnx.graphs import SIZE, exported, exported_by_dynamo, probed, small
from tests.weights.onnx.test_graphs import BOUND, OF_ANY_HEAD, loaded, normalised, photographs
from worker.child.graph_job import placed_graph
from worker.salience import OF_EXTRACTOR, make_explainer
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.salience.layouts import Arrangement
from worker.weights.onnx.session import GraphSession
from worker.weights.onnx.tail import Way
from worker.weights.speed import HEADS as HEADS_AT_ONCE
from worker.weights.speed import MICRO_BATCH, MOST, ModelSpeed

SMALL: dict[str, Any] = {"depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": SIZE, "patch_size": 8}


def spread(network: nn.Module) -> nn.Module:
    """With weights that let patches say different things; published starts say next to nothing."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.2 if parameter.dim() > 1 else 0.1))
    return network.eval()


@cache
def vit(name: str = "vit_tiny_patch16_224", **options: Any) -> nn.Module:
    torch.manual_seed(7)
    return spread(timm.create_model(name, num_classes=3, **SMALL | options))


@cache
def vit_of_torchvision() -> nn.Module:
    torch.manual_seed(7)
    return spread(torchvision.models.VisionTransformer(SIZE, 8, 2, 2, 32, 64, num_classes=3))


@cache
def mixer() -> nn.Module:
    torch.manual_seed(7)
    return spread(MlpMixer(img_size=SIZE, patch_size=8, num_blocks=2, embed_dim=32, num_classes=3))


@cache
def swin() -> nn.Module:
    torch.manual_seed(7)
    sizes: dict[str, Any] = {"depths": (1, 1), "embed_dim": 16, "num_heads": (1, 2), "window_size": 4}
    name = "swin_tiny_patch4_window7_224"
    return spread(timm.create_model(name, num_classes=3, img_size=SIZE, **sizes))


distilled = partial(vit, "deit_tiny_distilled_patch16_224")
HEADS = {
    "class token, traced": (vit, exported, 1),
    "class token, program": (vit, exported_by_dynamo, 1),
    "class token, fixed batch": (vit, partial(exported, batch=4, free=False), 1),
    "distilled": (distilled, exported, 2),
    "mean of tokens and a norm": (partial(vit, global_pool="avg", class_token=False), exported, 0),
    "torchvision's": (vit_of_torchvision, exported, 1),
}


def agree(found: Tensor, expected: Tensor) -> float:
    assert (expected.amax((1, 2)) > expected.amin((1, 2))).all(), "a constant map proves nothing"
    return float((normalised(found) - normalised(expected)).abs().max())


@pytest.mark.parametrize(("network", "export", "prefix"), HEADS.values(), ids=HEADS)
def test_the_last_attention_is_shown_one_cell_at_a_time(
    network: Callable[[], nn.Module], export: Callable[[nn.Module], bytes], prefix: int
) -> None:
    """What it reads is where torch's maps are taken by default, and so ReciproCAM is that of torch."""
    model, images = loaded(export(network())), photographs(3)
    hook = TargetHook(network(), input_size=SIZE)
    assert (model.tail.way, model.possible) == (Way.HEAD_ALONE, OF_ANY_HEAD)
    assert model.layer.arrangement == hook.layer.arrangement == Arrangement(Layout.TOKENS, 4, 4, prefix)
    assert model.stride == hook.stride
    found = model.explainer(CamMethod.RECIPROCAM, SIZE, None, CLASSES).explain(images, None)
    expected = make_explainer(CamMethod.RECIPROCAM, hook).explain(images, None)
    assert torch.equal(found.predicted, expected.predicted)
    assert agree(found.maps, expected.maps) <= 10 * BOUND


def test_a_graph_s_pass_that_is_timed_is_a_forward_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first method without a gradient is Score-CAM, which sends an image through it once for every channel; here
    batches are looked at, and one image behind whose layer many maps are asked about."""
    model, sizes = loaded(exported(vit())), list[int]()
    run = GraphSession.run

    def counted(session: GraphSession, *inputs: Tensor) -> list[Tensor]:
        sizes.append(len(inputs[0]))
        return run(session, *inputs)

    monkeypatch.setattr(GraphSession, "run", counted)
    placed = placed_graph(model, SIZE, None, CLASSES)
    assert placed.bias_channels is None
    speed = ModelSpeed.of(lambda: placed, torch.device("cpu"), SIZE, 3)
    assert speed is not None
    assert speed.seconds_per_head is not None
    assert {1, MICRO_BATCH, HEADS_AT_ONCE} <= {*sizes}
    assert sizes.count(MICRO_BATCH) <= 1 + MOST


@pytest.mark.parametrize(
    ("network", "layout"),
    [
        (mixer, Layout.TOKENS),
        (swin, Layout.NHWC),
        (partial(vit, global_pool="avg", fc_norm=False, class_token=False), None),
    ],
)
def test_behind_a_mean_of_tokens_maps_are_exact(network: Callable[[], nn.Module], layout: Layout | None) -> None:
    """Of a ViT it is the last norm that is averaged; torch's default is a norm before, and so is asked for that."""
    model, images = loaded(exported(network())), photographs(3)
    hook = TargetHook(network(), input_size=SIZE, target_layer=None if layout else "norm")
    assert model.tail.way is Way.CLOSED_FORM
    assert model.layer.arrangement == hook.layer.arrangement
    for method in OF_EXTRACTOR:
        found = model.explainer(method, SIZE, None, CLASSES).explain(images, None)
        assert agree(found.maps, make_explainer(method, hook).explain(images, None).maps) <= BOUND, method


def test_rise_is_that_of_torch() -> None:
    images, draws = photographs(2), Draws(1, ("a", "b"))
    model = loaded(exported(vit(), batch=4, free=False))
    found = model.explainer(CamMethod.RISE, SIZE, None, CLASSES, 100).explain(images, None, draws)
    hook = TargetHook(vit(), input_size=SIZE)
    expected = make_explainer(CamMethod.RISE, hook, 100).explain(images, None, draws)
    assert found.maps.shape == (2, SIZE, SIZE)
    assert agree(found.maps, expected.maps) <= BOUND


def test_the_probe_says_why() -> None:
    told = probed(exported(vit())).facts["graph.salience"]
    assert told.value == "head alone"
    assert "It does not end in a pooling and one linear layer: it has the operator Gather there." in (told.note or "")
    assert "(the last attention) is run alone on its cells" in (told.note or "")


TALL = (48, 32)


@pytest.mark.parametrize(
    ("network", "method", "grid"),
    [(small, CamMethod.GRADCAM, (12, 8)), (partial(vit, img_size=TALL), CamMethod.RECIPROCAM, (6, 4))],
)
def test_inputs_that_are_not_square(network: Callable[[], nn.Module], method: CamMethod, grid: tuple[int, int]) -> None:
    made = probed(exported(network(), size=TALL), size=TALL)
    images = torch.randn(3, 3, *TALL, generator=torch.Generator().manual_seed(3))
    hook = TargetHook(network(), input_size=TALL)
    assert (made.probe.map_height, made.probe.map_width) == hook.layer.grid == grid
    assert made.loaded.stride == hook.stride
    found = made.loaded.explainer(method, TALL, None, CLASSES).explain(images, None)
    assert agree(found.maps, make_explainer(method, hook).explain(images, None).maps) <= 10 * BOUND
    with pytest.raises(InputFailure, match="images of 48 x 32 pixels alone"):
        made.loaded.explainer(method, TALL[::-1], None, CLASSES)
    with pytest.raises(InputFailure, match=r"\[batch, 3, 32, 48\]"):
        probed(exported(network(), size=TALL), size=TALL[::-1])
