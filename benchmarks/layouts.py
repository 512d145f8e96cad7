"""Where salience is taken in 88 networks with tokens, NHWC or NCHW, and one map of each against autograd by hand.

    python -m benchmarks.layouts [NAME ...]

The map by hand is the whole network's in double precision, every gradient of it, turned by what the row says; it may
differ from ours by 2e-5, or by twice what single precision loses there, up to 2e-4. A map whose cells are all but equal
proves nothing, and counts as wrong. Networks are made with random weights and small
images, so that each takes a second or two.
"""

import sys
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import timm
import torch
import torchvision
import transformers
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod, Layout
from app.errors import InputFailure
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.architectures import build
from worker.weights.probe import probe

CLASSES = 6
TOLERANCE, LOSS = 2e-5, 2e-4
CONTRAST = 1e-3
SPREADS = (0.02, 0.1)
SIZED: dict[int, str] = {
    64: """
    vit_tiny_patch16_224 vit_small_patch32_224 vit_base_patch16_siglip_224 vit_base_patch32_clip_224
    vit_tiny_r_s16_p8_224 vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224 deit_tiny_patch16_224
    deit_tiny_distilled_patch16_224 deit3_small_patch16_224 beit_base_patch16_224 beitv2_base_patch16_224
    cait_xxs24_224 cait_xxs36_224 xcit_nano_12_p16_224 xcit_tiny_12_p8_224 convit_tiny convit_small
    mixer_s32_224 mixer_s16_224 mixer_b32_224 resmlp_12_224 resmlp_24_224 gmlp_ti16_224 gmlp_s16_224
    pit_ti_224 pit_xs_224 volo_d1_224 twins_svt_small twins_pcpvt_small
    swin_tiny_patch4_window7_224 swin_s3_tiny_224 swin_small_patch4_window7_224
    """,
    56: """
    eva02_tiny_patch14_224 eva02_small_patch14_224 vit_small_patch14_dinov2 vit_small_patch14_reg4_dinov2
    """,
    128: "swinv2_tiny_window8_256 swinv2_small_window8_256 swinv2_cr_tiny_ns_224 mvitv2_tiny",
}
FREE = """
pvt_v2_b0 pvt_v2_b1 pvt_v2_b2_li convnext_atto convnext_femto convnextv2_atto convnext_tiny inception_next_atto
poolformer_s12 poolformerv2_s12 caformer_s18 convformer_s18 davit_tiny focalnet_tiny_srf edgenext_xx_small
mobilevit_xxs mobilevitv2_050 fastvit_t8 repvit_m0_9 efficientvit_b0 efficientvit_m0 nextvit_small sequencer2d_s
"""
WINDOWED = "maxvit_nano_rw_256 maxxvit_rmlp_nano_rw_256 coatnet_nano_rw_224 efficientformer_l1 levit_128s"
TORCHVISION = {"vit_b_32": 64, "swin_t": 64, "swin_v2_t": 64, "convnext_tiny": 64, "maxvit_t": 224}

_SMALL: dict[str, Any] = {"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 3, "image_size": 64}
TRANSFORMERS: dict[str, dict[str, Any]] = {
    "ViT": _SMALL,
    "DeiT": _SMALL,
    "Beit": _SMALL | {"use_relative_position_bias": True},
    "Dinov2": _SMALL | {"patch_size": 16},
    "Dinov2WithRegisters": _SMALL,
    "Swin": {"embed_dim": 48, "window_size": 4, "image_size": 128},
    "PvtV2": {"image_size": 64},
    "ConvNext": {"hidden_sizes": [40, 80, 160, 320], "depths": [2, 2, 6, 2]},
    "ConvNextV2": {"hidden_sizes": [40, 80, 160, 320], "depths": [2, 2, 6, 2]},
    "ResNet": {"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2]},
    "RegNet": {"hidden_sizes": [64, 128, 256, 512], "depths": [1, 2, 4, 1]},
    "EfficientNet": {"width_coefficient": 1.0, "depth_coefficient": 1.0, "hidden_dim": 1280},
    "MobileNetV1": {},
    "MobileNetV2": {},
}
"""By the class's name without ForImageClassification, what its configuration is told."""


@dataclass(frozen=True)
class Found:
    """What came of one network: the layer's row, and how far its map is from the one by hand."""

    name: str
    row: str
    difference: float | None = None
    allowed: float = TOLERANCE

    @property
    def is_wrong(self) -> bool:
        return self.difference is None or self.difference > self.allowed


def networks() -> dict[str, tuple[int, dict[str, Any]]]:
    """By name, the side of the images and what the builder is told of it."""
    listed = {f"timm/{name}": (size, {"img_size": size}) for size, names in SIZED.items() for name in names.split()}
    listed |= {f"timm/{name}": (96, {}) for name in FREE.split()}
    listed |= {f"timm/{name}": (256 if "256" in name else 224, {}) for name in WINDOWED.split()}
    listed |= {f"torchvision/{name}": (size, {}) for name, size in TORCHVISION.items()}
    return listed | {
        f"transformers/{name}": (options.get("image_size", 96), options) for name, options in TRANSFORMERS.items()
    }


def made(name: str, size: int, options: dict[str, Any], spread: float) -> nn.Module:
    """With random weights that let cells say different things."""
    torch.manual_seed(1)
    library, _, plain = name.partition("/")
    if library == "timm":
        network: nn.Module = timm.create_model(plain, num_classes=CLASSES, **options)
    elif library == "transformers":
        network = made_by_transformers(f"{plain}ForImageClassification", options)
    else:
        more = {"image_size": size} if plain.startswith("vit") else {}
        network = torchvision.models.get_model(plain, weights=None, num_classes=CLASSES, **more)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else spread))
    if library == "transformers":
        settle(network, size)
    return network.eval()


def made_by_transformers(name: str, options: dict[str, Any]) -> nn.Module:
    """As a worker builds it, with the weights that the library begins with."""
    kind = getattr(transformers, name)
    weights = kind(kind.config_class(**options, num_labels=CLASSES)).state_dict()
    return build(f"transformers/{name}", weights, options)


def settle(network: nn.Module, size: int) -> None:
    """Batch norms as of some images: without, those of transformers' start leave nothing to see in deep networks."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, 3, size, size))


def by_hand(network: nn.Module, layer: Any, images: Tensor, classes: Tensor) -> Tensor:
    """Grad-CAM (N, h, w) in the precision of the network: a hook, a whole backward pass, and a turn to NCHW."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        kept[:] = [output]

    handle = network.get_submodule(layer.name).register_forward_hook(keep)
    logits = network(images.clone())
    handle.remove()
    gradient = torch.autograd.grad(logits.gather(1, classes.view(-1, 1)).sum(), kept[0])[0]
    activation, gradient = (turned(one.detach(), layer) for one in (kept[0], gradient))
    return (activation * gradient.mean((2, 3), keepdim=True)).sum(1).relu()


def turned(output: Tensor, layer: Any) -> Tensor:
    """As reshape_transform of pytorch-grad-cam is written."""
    if layer.layout is Layout.NCHW:
        return output
    if layer.layout is Layout.TOKENS:
        cells = output[:, layer.prefix_tokens :, :]
        output = cells.reshape(len(output), layer.height, layer.width, cells.shape[-1])
    return output.transpose(2, 3).transpose(1, 2)


def look(name: str, size: int, options: dict[str, Any]) -> Found:
    """Of weights near the published start, or further from it where those give maps without contrast."""
    found = Found(name, "never tried")
    for spread in SPREADS:
        found = look_at(made(name, size, options, spread), name, size)
        if found.difference is not None:
            break
    return found


def look_at(network: nn.Module, name: str, size: int) -> Found:
    try:
        found = probe(network, input_size=size, target_layer=None)
    except InputFailure as refusal:
        return Found(name, f"refused: {refusal.code}")
    layer = next((one for one in found.candidate_layers if one.name == found.target_layer), None)
    if layer is None:
        return Found(name, f"{found.target_layer}: no module's output")
    prefix = f" + {layer.prefix_tokens}" if layer.prefix_tokens else ""
    row = f"{layer.name:42} {layer.layout}{prefix}, {layer.height} x {layer.width}"
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    explainer = make_explainer(CamMethod.GRADCAM, TargetHook(network, input_size=size))
    for chosen in range(CLASSES):  # of random weights, some class speaks of no cell
        classes = torch.full((2,), chosen)
        exact = by_hand(deepcopy(network).double(), layer, images.double(), classes)
        if has_contrast(exact):
            break
    else:
        return Found(name, f"{row}: a constant map")
    precise = min_max(exact)[0]
    rounding = float((min_max(by_hand(network, layer, images, classes))[0].double() - precise).abs().max())
    ours = min_max(explainer.explain(images, classes).maps)[0]
    allowed = min(max(TOLERANCE, 2 * rounding), LOSS)
    return Found(name, row, float((ours.double() - precise).abs().max()), allowed)


def has_contrast(maps: Tensor) -> bool:
    """Whether the cells of every map differ by more than rounding does."""
    return bool((maps.amax((1, 2)) - maps.amin((1, 2)) > CONTRAST * maps.amax((1, 2))).all())


def main() -> int:
    listed = networks()
    results = []
    for name in sys.argv[1:] or listed:
        found = look(name, *listed[name])
        results.append(found)
        difference = "-" if found.difference is None else f"{found.difference:.1e}"
        print(f"{found.name:44} {found.row:66} {difference:8} {'WRONG' if found.is_wrong else ''}", flush=True)
    print(f"{len(results)} networks, {sum(found.is_wrong for found in results)} wrong")
    return 1 if any(found.is_wrong for found in results) else 0


if __name__ == "__main__":
    sys.exit(main())
