"""What a preprocessor_config.json says gives the inputs of the processor that saved it, or is named."""

from typing import Any

import pytest
import torch

from app.errors import Unprocessable
from tests.weights.hugging_face import SIDE, registered
from tests.weights.prepared import PICTURES, SQUARE, inputs, processor, read_of

Json = dict[str, Any]
PROCESSORS: dict[str, tuple[str, Json]] = {
    "ViT": ("ViTImageProcessor", SQUARE),
    "ViT, other numbers": ("ViTImageProcessor", SQUARE | {"image_mean": [0.2, 0.3, 0.4], "image_std": [0.3, 0.2, 0.1]}),
    "ViT, not normalised": ("ViTImageProcessor", SQUARE | {"do_normalize": False}),
    "ViT, from -1 to 1": ("ViTImageProcessor", SQUARE | {"rescale_factor": 1 / 127.5}),
    "ViT, bytes": (
        "ViTImageProcessor", SQUARE | {"do_rescale": False, "image_mean": [120.0] * 3, "image_std": [60.0] * 3},
    ),
    "DeiT, nothing cut": ("DeiTImageProcessor", SQUARE | {"crop_size": {"height": SIDE, "width": SIDE}}),
    "ConvNeXt, stretched": ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}, "resample": 2}),
    "ConvNeXt, nothing cut": (
        "ConvNextImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_pct": 1.0, "resample": 2},
    ),
    "MobileNet": (
        "MobileNetV2ImageProcessor",
        {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}},
    ),
    "ViT, bicubic": ("ViTImageProcessor", SQUARE | {"resample": 3}),
    "ViT, nearest": ("ViTImageProcessor", SQUARE | {"resample": 0}),
    "ViT, lanczos": ("ViTImageProcessor", SQUARE | {"resample": 1}),
    "DeiT": ("DeiTImageProcessor", {}),
    "BEiT": ("BeitImageProcessor", {}),
    "DINOv2": ("BitImageProcessor", {"size": {"shortest_edge": 256}}),
    "ConvNeXt": ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}}),
    "MobileNet, as published": ("MobileNetV1ImageProcessor", {}),
    "MobileViT": ("MobileViTImageProcessor", {"size": {"shortest_edge": 288}}),
    "PVT": ("PvtImageProcessor", {}),
    "EfficientNet": ("EfficientNetImageProcessor", SQUARE),
    "EfficientNet, with offset": (
        "EfficientNetImageProcessor", SQUARE | {"rescale_offset": True, "rescale_factor": 1 / 127.5},
    ),
    "EfficientNet, without its top": ("EfficientNetImageProcessor", SQUARE | {"include_top": False}),
}  # fmt: skip


@pytest.mark.parametrize("case", PROCESSORS)
def test_inputs_are_those_of_the_processor(case: str) -> None:
    """Those that resize by Pillow to the last bit of 8; torchvision's bicubic overshoots otherwise at a few edges."""
    kind, said = PROCESSORS[case]
    own, file = processor(kind, **said)
    by_pillow, _ = processor(f"{kind}Pil", **said)
    told = read_of(registered({"model_type": "vit"}, file))
    levels = 255 * torch.tensor(told.in_unit_range[1]).view(3, 1, 1)
    for image in PICTURES.values():
        mine = inputs(file, image)
        differences = [
            (mine - one(image, return_tensors="pt")["pixel_values"][0]).abs() * levels for one in (by_pillow, own)
        ]
        assert float(differences[0].max()) < 1e-3
        assert float((differences[1] > 1.01).float().mean()) < 1e-3


def test_an_old_file_of_an_extractor() -> None:
    """As the first ViT models have it."""
    old = {"do_normalize": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": SIDE}
    _, new = processor("ViTImageProcessor", **SQUARE)
    named = old | {"feature_extractor_type": "ViTFeatureExtractor", "resample": 2}
    for image in PICTURES.values():
        assert torch.equal(inputs(named, image), inputs(new, image))


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("ViTImageProcessor", {"do_resize": False}, "do_resize"),
        ("ViTImageProcessor", {"resample": 4}, "resample"),
        ("ViTImageProcessor", {"size": {"longest_edge": 224}}, "size"),
        ("ViTImageProcessor", {"do_pad": True}, "do_pad"),
        ("ViTImageProcessor", {"rescale_factor": 0}, "rescale_factor"),
        ("ViTImageProcessor", {"image_mean": None}, "image_mean"),
        ("ViTImageProcessor", {"image_processor_type": "DonutImageProcessor"}, "image_processor_type"),
        ("BitImageProcessor", {"do_center_crop": False, "resample": 2}, "do_center_crop"),
        ("MobileNetV2ImageProcessor", {"crop_size": {"height": 300, "width": 300}}, "crop_size"),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}, "crop_pct": None, "resample": 2}, "crop_pct"),
        ("ViTImageProcessor", {"auto_map": {"AutoImageProcessor": "theirs.Processor"}}, "auto_map"),
    ],
)
def test_what_a_registration_has_no_words_for_is_named(kind: str, said: Json, field: str) -> None:
    _, file = processor(kind)
    with pytest.raises(Unprocessable, match=f"preprocessor_config.{field} ") as caught:
        registered({"model_type": "vit"}, file | said)
    assert caught.value.errors[0]["loc"] == ["body", "preprocessor_config", field]
