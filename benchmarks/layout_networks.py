"""The networks of `benchmarks.layouts`: 90 of timm, torchvision and transformers, by family, with small images.

Nothing of the libraries is imported here, so that a test can name them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Subject:
    """A network by its name in its library; ``size`` is the images' side, ``options`` what its builder is told."""

    family: str
    library: str
    name: str
    size: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.library}/{self.name}"


_TIMM_SIZED: dict[tuple[str, int], str] = {
    ("ViT", 64): """
        vit_tiny_patch16_224 vit_small_patch32_224 vit_base_patch16_siglip_224 vit_base_patch32_clip_224
        vit_tiny_r_s16_p8_224 vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224
        """,
    ("DeiT", 64): "deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224",
    ("BEiT", 64): "beit_base_patch16_224 beitv2_base_patch16_224",
    ("CaiT", 64): "cait_xxs24_224 cait_xxs36_224",
    (
        "XCiT, ConViT, PiT, VOLO",
        64,
    ): "xcit_nano_12_p16_224 xcit_tiny_12_p8_224 convit_tiny convit_small pit_ti_224 pit_xs_224 volo_d1_224",
    ("MLP-Mixer, ResMLP, gMLP", 64): """
        mixer_s32_224 mixer_s16_224 mixer_b32_224 resmlp_12_224 resmlp_24_224 gmlp_ti16_224 gmlp_s16_224
        """,
    ("Twins", 64): "twins_svt_small twins_pcpvt_small",
    ("Swin", 64): "swin_tiny_patch4_window7_224 swin_s3_tiny_224 swin_small_patch4_window7_224",
    ("EVA-02", 56): "eva02_tiny_patch14_224 eva02_small_patch14_224",
    ("DINOv2", 56): "vit_small_patch14_dinov2 vit_small_patch14_reg4_dinov2",
    ("SwinV2", 128): "swinv2_tiny_window8_256 swinv2_small_window8_256",
    ("SwinV2-CR", 128): "swinv2_cr_tiny_ns_224",
    ("MViTv2", 128): "mvitv2_tiny",
}
_TIMM_FREE: dict[tuple[str, int], str] = {
    ("PVT v2", 96): "pvt_v2_b0 pvt_v2_b1 pvt_v2_b2_li",
    ("ConvNeXt", 96): "convnext_atto convnext_femto convnextv2_atto convnext_tiny inception_next_atto",
    ("PoolFormer, CAFormer, ConvFormer", 96): "poolformer_s12 poolformerv2_s12 caformer_s18 convformer_s18",
    ("DaViT, FocalNet, EdgeNeXt, MobileViT, ...", 96): """
        davit_tiny focalnet_tiny_srf edgenext_xx_small mobilevit_xxs mobilevitv2_050 fastvit_t8 repvit_m0_9
        efficientvit_b0 efficientvit_m0 nextvit_small sequencer2d_s
        """,
    ("MaxViT, MaxxViT", 256): "maxvit_nano_rw_256 maxxvit_rmlp_nano_rw_256",
    ("CoAtNet, EfficientFormer", 224): "coatnet_nano_rw_224 efficientformer_l1",
    ("LeViT", 224): "levit_128s",
}
_POST_NORM: dict[str, dict[str, Any]] = {
    "eva02_enormous_patch14_clip_224": {
        "img_size": 56, "depth": 4, "embed_dim": 192, "num_heads": 3, "mlp_ratio": 4.0
    },
}  # fmt: skip
"""Blocks that norm what they add, and a class token."""
_TORCHVISION = {
    "vit_b_32": ("ViT", 64),
    "swin_t": ("Swin", 64),
    "swin_v2_t": ("SwinV2", 64),
    "convnext_tiny": ("ConvNeXt", 64),
    "maxvit_t": ("MaxViT", 224),
}
_SMALL: dict[str, Any] = {"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 3, "image_size": 64}
_SWIN: dict[str, Any] = {"embed_dim": 48, "window_size": 4, "image_size": 128}
_NEXT: dict[str, Any] = {"hidden_sizes": [40, 80, 160, 320], "depths": [2, 2, 6, 2]}
_TRANSFORMERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ViT": ("ViT", _SMALL),
    "DeiT": ("DeiT", _SMALL),
    "Beit": ("BEiT", _SMALL | {"use_relative_position_bias": True}),
    "Dinov2": ("DINOv2", _SMALL | {"patch_size": 16}),
    "Dinov2WithRegisters": ("DINOv2", _SMALL),
    "Swin": ("Swin", _SWIN),
    "Swinv2": ("SwinV2", _SWIN),
    "PvtV2": ("PVT v2", {"image_size": 64}),
    "ConvNext": ("ConvNeXt", _NEXT),
    "ConvNextV2": ("ConvNeXt", _NEXT),
    "ResNet": ("ResNet", {"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2]}),
    "RegNet": ("RegNet", {"hidden_sizes": [64, 128, 256, 512], "depths": [1, 2, 4, 1]}),
    "EfficientNet": ("EfficientNet", {"width_coefficient": 1.0, "depth_coefficient": 1.0, "hidden_dim": 1280}),
    "MobileNetV1": ("MobileNet V1", {}),
    "MobileNetV2": ("MobileNet V2", {}),
}
"""By the class's name without ForImageClassification: family, and what its configuration is told."""


def subjects() -> list[Subject]:
    """In the order of the table."""
    found = [
        Subject(family, "timm", name, size, {"img_size": size})
        for (family, size), names in _TIMM_SIZED.items()
        for name in names.split()
    ]
    found += [Subject("EVA-02, post-norm", "timm", name, 56, options) for name, options in _POST_NORM.items()]
    found += [
        Subject(family, "timm", name, size) for (family, size), names in _TIMM_FREE.items() for name in names.split()
    ]
    found += [Subject(family, "torchvision", name, size) for name, (family, size) in _TORCHVISION.items()]
    return found + [
        Subject(family, "transformers", name, options.get("image_size", 96), options)
        for name, (family, options) in _TRANSFORMERS.items()
    ]
