"""Ways in which the owner's code may have read images and classes, other than the model's description says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import interpolate

from app.domain.vocabulary import Resize
from app.imaging.decoding import prepare, shorter_side_crop
from worker.weights.options import HALVES, IMAGENET
from worker.wire.jobs import JobModel

_BYTE = 1 / 255
_POOLS = ("avg", "max", "avgmax")


@dataclass(frozen=True)
class Reading:
    """A model, and how an image becomes its 8-bit input."""

    model: JobModel
    is_bgr: bool = False
    shorter_side: int | None = None
    """Before the crop; None: as the description's ``resize`` says."""
    interpolation: Image.Resampling = Image.Resampling.BILINEAR
    antialias: bool = True

    @property
    def size(self) -> int:
        return int(self.model.preprocessing["input_size"])

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """(S, S, 3) of a picture in mode RGB."""
        resize = Resize(self.model.preprocessing.get("resize", Resize.STRETCH))
        if self.shorter_side is None and self.antialias and self.interpolation is Image.Resampling.BILINEAR:
            pixels = prepare(image, self.size, resize)
        else:
            pixels = self._resized(image, resize)
        return pixels[:, :, ::-1] if self.is_bgr else pixels

    def _resized(self, image: Image.Image, resize: Resize) -> NDArray[np.uint8]:
        size = self.size
        if resize is Resize.STRETCH and self.shorter_side is None:
            return self._scaled(image, (size, size))
        scaled, (left, top) = shorter_side_crop(image.size, self.shorter_side or size, size)
        return self._scaled(image, scaled)[top : top + size, left : left + size]

    def _scaled(self, image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
        if self.antialias:
            return np.asarray(image.resize(size, self.interpolation))
        planes = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float()
        scaled = interpolate(planes, (size[1], size[0]), mode="bilinear", align_corners=False)
        return scaled[0].permute(1, 2, 0).round().to(torch.uint8).numpy()


@dataclass(frozen=True)
class Change:
    """One thing that may be otherwise: in words, as fields of a registration, and as changes of a reading."""

    group: str
    words: str
    request: Mapping[str, Any]
    reading: Mapping[str, Any]

    def applied(self, to: Reading) -> Reading:
        """Fields of ``preprocessing`` and ``architecture_options`` go into the model."""
        model = to.model
        asked = self.request.get("preprocessing", {})
        preprocessing = model.preprocessing | {
            name: value for name, value in asked.items() if name in _OF_MODEL and not isinstance(value, dict)
        }
        options = model.architecture_options | self.request.get("architecture_options", {})
        changed = model.model_copy(update={"preprocessing": preprocessing, "architecture_options": options})
        return replace(to, model=changed, **self.reading)


_OF_MODEL = frozenset({"mean", "std", "resize"})


def changes(model: JobModel, assumed_options: tuple[str, ...]) -> list[Change]:
    """All that are tried alone; of two together, those of different groups."""
    return list(chain(_channels(), _ranges(model), _crops(model), _interpolations(), _options(model, assumed_options)))


def _channels() -> Iterator[Change]:
    words = "channels are in the order blue, green, red"
    yield Change("channels", words, {"preprocessing": {"channels": "bgr"}}, {"is_bgr": True})


def _ranges(model: JobModel) -> Iterator[Change]:
    known = {
        "pixels go from 0 to 255": ((0.0,) * 3, (_BYTE,) * 3),
        "pixels go from -1 to 1": HALVES,
        "pixels go from 0 to 1, without mean and standard deviation": ((0.0,) * 3, (1.0,) * 3),
        "pixels have ImageNet's mean and standard deviation": IMAGENET,
        "pixels go from 0 to 255, less ImageNet's mean": (IMAGENET[0], (_BYTE,) * 3),
    }
    own = [*model.preprocessing["mean"], *model.preprocessing["std"]]
    for words, (mean, std) in known.items():
        if not np.allclose([*mean, *std], own, atol=0.005):
            yield Change("range", words, {"preprocessing": {"mean": list(mean), "std": list(std)}}, {})


def _crops(model: JobModel) -> Iterator[Change]:
    size = int(model.preprocessing["input_size"])
    longer = round(size * 8 / 7)
    if model.preprocessing.get("resize", Resize.STRETCH) == Resize.STRETCH:
        request: dict[str, Any] = {"preprocessing": {"resize": "shorter_side_crop"}}
        yield Change("crop", "images are cropped to a square", request, {})
    else:
        request = {"preprocessing": {"resize": "stretch"}}
        yield Change("crop", "images are stretched to a square", request, {})
    words = f"images are resized to a shorter side of {longer} pixels, then cropped"
    yield Change("crop", words, {"preprocessing": {"resize": {"shorter_side": longer}}}, {"shorter_side": longer})


def _interpolations() -> Iterator[Change]:
    for name in ("bicubic", "nearest", "lanczos"):
        request: dict[str, Any] = {"preprocessing": {"interpolation": name}}
        reading = {"interpolation": Image.Resampling[name.upper()]}
        yield Change("interpolation", f"images are resized by {name} interpolation", request, reading)
    words = "images are resized without antialias"
    yield Change("interpolation", words, {"preprocessing": {"antialias": False}}, {"antialias": False})


def _options(model: JobModel, assumed: tuple[str, ...]) -> Iterator[Change]:
    for name in assumed:
        now = model.architecture_options.get(name)
        others = [not now] if isinstance(now, bool) else [pool for pool in _POOLS if name == "global_pool"]
        for value in others:
            if value != now:
                request = {"architecture_options": {name: value}}
                yield Change(name, f"{name} is {str(value).lower()}", request, {})
