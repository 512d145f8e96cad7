"""A repository as timm publishes its models on the Hub."""

import json
from typing import Any

NAME = "timm/resnet18.a1_in1k"
WEIGHTS = bytes(range(256)) * 1000
CONFIG: Any = {
    "architecture": "resnet18",
    "num_classes": 2,
    "label_names": ["cat", "dog"],
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "crop_pct": 0.95,
        "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    },
}
FILES = {
    "README.md": b"# A model",
    "config.json": json.dumps(CONFIG).encode(),
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": WEIGHTS[::-1],
    "onnx/model.onnx": b"graph",
}
