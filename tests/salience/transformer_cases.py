"""Small networks of tokens and of NHWC, with the layer that is theirs and how it lies there."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import timm
import torch
import torchvision
from timm.layers.mlp import GatedMlp
from timm.models import mlp_mixer, vision_transformer, vision_transformer_relpos
from torch import nn

from app.domain.vocabulary import Layout
from tests.weights import hugging_face
from worker.weights.architectures import build

SMALL: dict[str, Any] = {"depth": 2, "embed_dim": 32, "num_heads": 2, "img_size": 64}
SWIN: dict[str, Any] = {"depths": (1, 2), "embed_dim": 16, "num_heads": (1, 2), "img_size": 64, "window_size": 4}


def mixer(**options: Any) -> nn.Module:
    sizes: dict[str, Any] = {"img_size": 64, "patch_size": 8, "num_blocks": 2, "embed_dim": 32}
    network: nn.Module = mlp_mixer.MlpMixer(num_classes=3, **sizes, **options)
    return network


class Case(NamedTuple):
    """``layer`` is the default of the network and ``documented`` the one that the library's pages name.

    ``packed``: the default puts out its tensor within a tuple, where the library finds none.
    """

    make: Callable[[], nn.Module]
    layer: str
    layout: Layout
    grid: tuple[int, int]
    prefix: int = 0
    documented: str | None = None
    size: int = 64
    packed: bool = False


def of_timm(name: str, **options: Any) -> Callable[[], nn.Module]:
    return partial(timm.create_model, name, num_classes=3, **options)


def small_vit() -> nn.Module:
    network: nn.Module = torchvision.models.VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=3)
    return network


def small_swin(block: type[nn.Module] | None = None) -> nn.Module:
    kind = torchvision.models.swin_transformer
    options = {} if block is None else {"block": block, "downsample_layer": kind.PatchMergingV2}
    network: nn.Module = kind.SwinTransformer([4, 4], 16, [1, 2], [1, 2], [4, 4], num_classes=3, **options)
    return network


def of_transformers(name: str, **options: Any) -> Callable[[], nn.Module]:
    """As a worker builds it from the library's weights."""
    kind = f"{name}ForImageClassification"
    config = hugging_face.CONFIGS[kind] | options
    return lambda: build(f"transformers/{kind}", hugging_face.network(kind, **options).state_dict(), config)


T, H, C = Layout.TOKENS, Layout.NHWC, Layout.NCHW
CASES = {
    "ViT": Case(of_timm("vit_tiny_patch16_224", **SMALL), "blocks.1.norm1", T, (4, 4), 1),
    "ViT, mean of tokens": Case(
        of_timm("vit_tiny_patch16_224", **SMALL, global_pool="avg", class_token=False), "blocks.1.norm1", T, (4, 4)
    ),
    "ViT, a grid that is not square": Case(
        of_timm("vit_tiny_patch16_224", **SMALL, patch_size=(16, 8)), "blocks.1.norm1", T, (4, 8), 1
    ),
    "ViT, parallel branches": Case(
        of_timm("vit_tiny_patch16_224", **SMALL, block_fn=vision_transformer.ParallelScalingBlock),
        "blocks.1.in_norm", T, (4, 4), 1,
    ),
    "ViT, norms behind branches": Case(
        of_timm("vit_tiny_patch16_224", **SMALL, block_fn=vision_transformer.ResPostBlock, global_pool="avg"),
        "blocks.1.norm1", T, (4, 4), 1,
    ),
    "ViT, norms behind branches, class token": Case(
        of_timm("vit_tiny_patch16_224", **SMALL, block_fn=vision_transformer.ResPostBlock), "blocks.0", T, (4, 4), 1
    ),
    "ViT, norms behind branches and relative positions, class token": Case(
        of_timm(
            "vit_relpos_small_patch16_224", **SMALL, class_token=True, global_pool="token",
            block_fn=vision_transformer_relpos.ResPostRelPosBlock,
        ),
        "blocks.0", T, (4, 4), 1,
    ),
    "EVA-02, norms behind branches": Case(
        of_timm("eva02_enormous_patch14_clip_224", **SMALL, patch_size=16), "blocks.0", T, (4, 4), 1
    ),
    "DeiT, distilled": Case(of_timm("deit_tiny_distilled_patch16_224", **SMALL), "blocks.1.norm1", T, (4, 4), 2),
    "DeiT 3": Case(of_timm("deit3_small_patch16_224", **SMALL), "blocks.1.norm1", T, (4, 4), 1),
    "BEiT": Case(of_timm("beit_base_patch16_224", **SMALL), "blocks.1.norm1", T, (4, 4), 1),
    "BEiT v2": Case(of_timm("beitv2_base_patch16_224", **SMALL), "blocks.1.norm1", T, (4, 4), 1),
    "EVA": Case(of_timm("eva_giant_patch14_224", **SMALL, patch_size=16), "blocks.1.norm1", T, (4, 4), 1),
    "EVA-02": Case(of_timm("eva02_tiny_patch14_224", **SMALL, patch_size=8), "blocks.1.norm1", T, (8, 8), 1),
    "DINOv2 with registers": Case(
        of_timm("vit_small_patch14_reg4_dinov2", **(SMALL | {"img_size": 56})),
        "blocks.1.norm1", T, (4, 4), 5, size=56,
    ),
    "CaiT": Case(of_timm("cait_xxs24_224", **SMALL), "blocks.1.norm1", T, (4, 4), 0, "blocks_token_only.1.norm1"),
    "torchvision's ViT": Case(small_vit, "encoder.layers.encoder_layer_1.ln_1", T, (4, 4), 1),
    "Swin": Case(of_timm("swin_tiny_patch4_window7_224", **SWIN), "norm", H, (8, 8), 0, "layers.1.blocks.1.norm1"),
    "SwinV2": Case(of_timm("swinv2_tiny_window8_256", **SWIN), "layers.1.blocks.1", H, (8, 8), 0, "norm"),
    "torchvision's Swin": Case(small_swin, "norm", H, (8, 8), 0, "features.3.1.norm1"),
    "torchvision's SwinV2": Case(
        partial(small_swin, torchvision.models.swin_transformer.SwinTransformerBlockV2),
        "features.3.1", H, (8, 8), 0, "norm",
    ),
    "PVT": Case(of_timm("pvt_v2_b0", depths=(1, 1, 1, 1)), "stages.3.norm", T, (2, 2)),
    "Twins": Case(of_timm("twins_svt_small", depths=(1, 1, 2, 1), img_size=64), "norm", T, (2, 2)),
    "MLP-Mixer": Case(mixer, "norm", T, (8, 8)),
    "ResMLP": Case(partial(mixer, block_layer=mlp_mixer.ResBlock, mlp_ratio=4), "norm", T, (8, 8)),
    "gMLP": Case(
        partial(mixer, block_layer=mlp_mixer.SpatialGatingBlock, mlp_layer=GatedMlp, mlp_ratio=4),
        "norm", T, (8, 8),
    ),
    "XCiT": Case(
        of_timm("xcit_nano_12_p16_224", **(SMALL | {"embed_dim": 64})), "blocks.1.norm1", T, (4, 4), 0
    ),
    "transformers' ViT": Case(of_transformers("ViT"), "vit.layers.1.layernorm_before", T, (4, 4), 1),
    "transformers' ViT, a grid that is not square": Case(
        of_transformers("ViT", patch_size=[16, 8]), "vit.layers.1.layernorm_before", T, (4, 8), 1
    ),
    "transformers' DeiT": Case(of_transformers("DeiT"), "deit.layers.1.layernorm_before", T, (4, 4), 2),
    "transformers' BEiT": Case(of_transformers("Beit"), "beit.layers.1.layernorm_before", T, (4, 4), 1),
    "transformers' DINOv2": Case(of_transformers("Dinov2"), "dinov2.encoder.layer.1.norm1", T, (4, 4), 1),
    "transformers' DINOv2 with registers": Case(
        of_transformers("Dinov2WithRegisters"), "dinov2_with_registers.encoder.layer.1.norm1", T, (4, 4), 5
    ),
    "transformers' Swin": Case(
        of_transformers("Swin"), "swin.layernorm", T, (8, 8), 0, "swin.encoder.layers.1.blocks.1.layernorm_before"
    ),
    "transformers' SwinV2": Case(
        of_transformers("Swinv2"), "swinv2.encoder.layers.1.blocks.1", T, (8, 8), 0, "swinv2.layernorm", packed=True
    ),
    "transformers' PVT": Case(of_transformers("PvtV2"), "pvt_v2.encoder.layers.3.layer_norm", T, (2, 2)),
    "transformers' ConvNeXt": Case(of_transformers("ConvNext"), "convnext.encoder.stages.3", C, (2, 2)),
    "transformers' ConvNeXt V2": Case(of_transformers("ConvNextV2"), "convnextv2.encoder.stages.3", C, (2, 2)),
    "transformers' ResNet": Case(of_transformers("ResNet"), "resnet.encoder.stages.1", C, (8, 8)),
    "transformers' RegNet": Case(of_transformers("RegNet"), "regnet.encoder.stages.1", C, (8, 8)),
    "transformers' EfficientNet": Case(
        of_transformers("EfficientNet"), "efficientnet.encoder.top_activation", C, (2, 2)
    ),
    "transformers' MobileNet": Case(of_transformers("MobileNetV1"), "mobilenet_v1.layer.25", C, (2, 2)),
    "transformers' MobileNet V2": Case(of_transformers("MobileNetV2"), "mobilenet_v2.conv_1x1", C, (2, 2)),
    "transformers' MobileViT": Case(of_transformers("MobileViT"), "mobilevit.conv_1x1_exp", C, (2, 2)),
}  # fmt: skip


def made(case: Case) -> nn.Module:
    """With weights that let patches say different things; published starts say next to nothing."""
    torch.manual_seed(7)
    network = case.make()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.2 if parameter.dim() > 1 else 0.1))
    return network.eval()
