"""References as owners make them: their own script of torch, torchvision and Pillow, and a zip of what it gave."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from prepare import named_images
from safetensors.torch import load_file
from torchvision.models import shufflenet_v2_x0_5

from tests.waiting import RECIPE, WEIGHTS

MEAN, STD = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))
NAMES = RECIPE["class_names"]

Pixels = Callable[[Image.Image], NDArray[Any]]


def resized(image: Image.Image) -> NDArray[Any]:
    """As the example's networks were trained: Pillow, bilinear."""
    return np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR))


def pictures(count: int = 12) -> dict[str, Image.Image]:
    """Half faces, half not, coloured so that the order of channels matters, and not square."""
    named = named_images()
    names = [name for label in NAMES for name in [one for one in named if one.startswith(f"{label}/")][: count // 2]]
    return {f"{number:02d}.png": _coloured(named[name], number) for number, name in enumerate(names)}


def _coloured(image: Image.Image, number: int) -> Image.Image:
    grey = np.asarray(image.convert("L").resize((300, 240), Image.Resampling.BICUBIC), dtype=float)
    shares = np.random.default_rng(number).uniform(0.3, 1.0, 3)
    return Image.fromarray((grey[..., None] * shares).astype(np.uint8))


@cache
def network() -> torch.nn.Module:
    module: torch.nn.Module = shufflenet_v2_x0_5(num_classes=2)
    module.load_state_dict(load_file(WEIGHTS / "cross_entropy_run1.safetensors"))
    module.eval()
    return module


def logits_of(images: dict[str, Image.Image], pixels: Pixels = resized) -> torch.Tensor:
    """(N, 2), by the owner's script."""
    inputs = np.stack([(pixels(image) / 255 - MEAN) / STD for image in images.values()])
    with torch.no_grad():
        found: torch.Tensor = network()(torch.from_numpy(inputs.transpose(0, 3, 1, 2)).float())
    return found


def archive(images: dict[str, Image.Image], said: list[dict[str, Any]], folder: str = "") -> bytes:
    """The zip: images, and a line for each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        lines = [json.dumps({"path": path} | row) for path, row in zip(images, said, strict=True)]
        target.writestr(f"{folder}outputs.jsonl", "\n".join(lines))
        for path, image in images.items():
            png = io.BytesIO()
            image.save(png, "PNG")
            target.writestr(f"{folder}{path}", png.getvalue())
    return file.getvalue()


def outputs(values: torch.Tensor) -> list[dict[str, Any]]:
    return [{"outputs": row} for row in values.tolist()]


def classes(values: torch.Tensor) -> list[dict[str, Any]]:
    return [{"class": NAMES[index]} for index in values.argmax(1).tolist()]
