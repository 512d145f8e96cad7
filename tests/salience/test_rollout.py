"""Attention roll-out against the attention that transformers itself returns, by the formula in double precision."""

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer, get_model

from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from tests.weights import hugging_face
from tests.weights.hugging_face import SIDE
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook
from worker.weights.architectures import build

TOLERANCE = 1e-5


def pictures() -> Tensor:
    return torch.randn(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(8))


def rolled(network: nn.Module) -> Explanation:
    return make_explainer(CamMethod.ATTENTION_ROLLOUT, TargetHook(network, input_size=SIDE)).explain(pictures(), None)


def by_hand(attentions: tuple[Tensor, ...], rows: slice, prefix: int) -> Tensor:
    """``attentions`` (N, heads, T, T), block by block; ``rows`` are the tokens that are read."""
    total = torch.eye(attentions[0].shape[-1], dtype=torch.float64)
    for attention in attentions:
        total = (attention.double().mean(1) + torch.eye(total.shape[-1], dtype=torch.float64)) / 2 @ total
    cells = total[:, rows].mean(1)[:, prefix:]
    return cells.view(len(cells), 4, -1)


@pytest.mark.parametrize(
    ("name", "rows", "prefix", "options"),
    [
        ("ViTForImageClassification", slice(0, 1), 1, {}),
        ("BeitForImageClassification", slice(1, None), 1, {}),
        ("BeitForImageClassification", slice(0, 1), 1, {"use_mean_pooling": False}),
        ("DeiTForImageClassification", slice(0, 1), 2, {}),
    ],
)
def test_same_as_from_the_attention_that_transformers_returns(
    name: str, rows: slice, prefix: int, options: dict[str, Any]
) -> None:
    """BEiT's classes are read from the mean of the patches, and its attention has a bias by position."""
    theirs = hugging_face.network(name, attn_implementation="eager", **options)
    config = hugging_face.CONFIGS[name] | options
    found = rolled(build(f"transformers/{name}", theirs.state_dict(), config).eval())
    with torch.no_grad():
        output = theirs(pictures(), output_attentions=True)
    expected = by_hand(output.attentions, rows, prefix)
    torch.testing.assert_close(found.logits, output.logits, rtol=1e-4, atol=1e-5)
    assert float((min_max(found.maps)[0] - min_max(expected.float())[0]).abs().max()) < TOLERANCE


def test_torchvisions_attention_is_its_own_modules() -> None:
    torch.manual_seed(2)
    sizes = {"num_layers": 3, "num_heads": 2, "hidden_dim": 48, "mlp_dim": 64}
    network = VisionTransformer(image_size=SIDE, patch_size=32, num_classes=3, **sizes).eval()
    nn.init.normal_(network.heads.head.weight)
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], _output: object) -> None:
        assert isinstance(module, nn.MultiheadAttention)
        weights = module.forward(inputs[0], inputs[1], inputs[2], average_attn_weights=False)[1]
        assert weights is not None
        seen.append(weights)

    handles = [part.register_forward_hook(keep) for part in network.modules() if type(part) is nn.MultiheadAttention]
    with torch.no_grad():
        logits = network(pictures())
    for handle in handles:
        handle.remove()
    found = rolled(network)
    expected = by_hand(tuple(seen), slice(0, 1), 1).view(3, 2, 2)
    torch.testing.assert_close(found.logits, logits, rtol=1e-4, atol=1e-5)
    assert float((min_max(found.maps)[0] - min_max(expected.float())[0]).abs().max()) < TOLERANCE


def test_timms_registers_are_no_cells() -> None:
    sizes: dict[str, Any] = {"depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": SIDE, "num_classes": 3}
    network = timm.create_model("vit_small_patch16_dinov3.lvd1689m", pretrained=False, **sizes).eval()
    assert rolled(network).maps.shape == (3, 4, 4)


@pytest.mark.parametrize("name", ["resnet18", "swin_t"])
def test_is_refused_without_attention_over_all_tokens(name: str) -> None:
    with pytest.raises(InputFailure, match="does not attend over all tokens") as caught:
        rolled(get_model(name, weights=None, num_classes=3).eval())
    assert caught.value.code == "cam-method-not-possible"
