"""Small networks of transformers, in the files that the library itself writes."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from app.models.requests import ModelRequest

Json = dict[str, Any]

NAMES = ["cat", "dog", "owl"]
_TOKENS: Json = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64}
_VIT = _TOKENS | {"intermediate_size": 64}
CONFIGS: dict[str, Json] = {
    "BeitForImageClassification": _VIT | {"use_relative_position_bias": True, "layer_scale_init_value": 0.5},
    "ConvNextForImageClassification": {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]},
    "ConvNextV2ForImageClassification": {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]},
    "DeiTForImageClassification": _VIT,
    "DeiTForImageClassificationWithTeacher": _VIT,
    "Dinov2ForImageClassification": _TOKENS | {"patch_size": 16},
    "Dinov2WithRegistersForImageClassification": _TOKENS,
    "EfficientNetForImageClassification": {"width_coefficient": 0.25, "depth_coefficient": 0.3, "hidden_dim": 320},
    "MobileNetV1ForImageClassification": {"depth_multiplier": 0.25},
    "MobileNetV2ForImageClassification": {"depth_multiplier": 0.25},
    "MobileViTForImageClassification": {
        "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 16, 16, 16, 16, 32], "image_size": 64,
    },
    "PvtV2ForImageClassification": {"hidden_sizes": [8, 16, 20, 32], "depths": [1, 1, 1, 1], "image_size": 64},
    "RegNetForImageClassification": {
        "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "groups_width": 8,
    },
    "ResNetForImageClassification": {
        "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic",
    },
    "SwinForImageClassification": {
        "embed_dim": 16, "depths": [1, 2], "num_heads": [1, 2], "window_size": 4, "image_size": 64,
    },
    "Swinv2ForImageClassification": {
        "embed_dim": 16, "depths": [1, 2], "num_heads": [1, 2], "window_size": 4, "image_size": 64,
    },
    "ViTForImageClassification": _VIT,
}  # fmt: skip
SIDE = 64


def network(name: str, **options: Any) -> transformers.PreTrainedModel:
    """With weights that let patches say different things; published starts say next to nothing."""
    torch.manual_seed(7)
    kind = getattr(transformers, name)
    found: transformers.PreTrainedModel = kind(
        kind.config_class(**CONFIGS[name] | options, id2label=dict(enumerate(NAMES)))
    )
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    _settle_batch_norms(found)
    return found


def _settle_batch_norms(network: nn.Module) -> None:
    """Their running numbers as of some images, without which deep networks say the same of every cell."""
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in norms:
        part.momentum = 1.0
    if not norms:
        network.eval()
        return
    network.train()
    with torch.no_grad():
        network(torch.randn(4, 3, SIDE, SIDE))
    network.eval()


def saved(name: str, folder: Path) -> tuple[Json, bytes]:
    """The library's ``config.json`` and ``model.safetensors``."""
    network(name).save_pretrained(folder)
    return json_of(folder / "config.json"), (folder / "model.safetensors").read_bytes()


def json_of(path: Path) -> Json:
    document: Json = json.loads(path.read_text())
    return document


def registered(config: Json, processor: Json | None = None, **said: Any) -> ModelRequest:
    """As the API reads a body."""
    files = {"config": config} | ({"preprocessor_config": processor} if processor else {})
    return ModelRequest.model_validate({"name": "mine", "format": "safetensors"} | files | said)


PREPROCESSING: Json = {"input_size": SIDE, "mean": [0.5] * 3, "std": [0.5] * 3}
