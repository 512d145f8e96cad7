"""Ways in which the owner's code may have read images and classes, other than the model's description says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from app.domain.models.input_spec import Interpolation
from app.domain.models.levels import Channels
from app.domain.models.preprocessing import Preprocessing
from worker.weights.options import HALVES, IMAGENET
from worker.wire.job_parts import JobModel

_POOLS = ("avg", "max", "avgmax")
_ZEROS, _ONES = [0.0] * 3, [1.0] * 3
_RANGES: dict[str, dict[str, Any]] = {
    "pixels go from 0 to 255": {"value_range": "byte", "mean": _ZEROS, "std": _ONES},
    "pixels go from -1 to 1": {"value_range": "unit", "mean": [*HALVES[0]], "std": [*HALVES[1]]},
    "pixels go from 0 to 1, without mean and standard deviation": {"value_range": "unit", "mean": _ZEROS, "std": _ONES},
    "pixels have ImageNet's mean and standard deviation": {
        "value_range": "unit",
        "mean": [*IMAGENET[0]],
        "std": [*IMAGENET[1]],
    },
    "pixels go from 0 to 255, less ImageNet's mean": {
        "value_range": "byte",
        "mean": [255 * mean for mean in IMAGENET[0]],
        "std": _ONES,
    },
}


@dataclass(frozen=True)
class Change:
    """One thing that may be otherwise: in words, and as fields of a registration."""

    group: str
    words: str
    request: Mapping[str, Any]

    def applied(self, to: JobModel) -> JobModel:
        """The model as it would be registered: fields of ``preprocessing`` and ``architecture_options``."""
        described = to.preprocessing | self.request.get("preprocessing", {})
        options = to.architecture_options | self.request.get("architecture_options", {})
        return to.model_copy(update={"preprocessing": described, "architecture_options": options})


def changes(model: JobModel, assumed_options: tuple[str, ...]) -> list[Change]:
    """All that are tried alone; of two together, those of different groups."""
    described = Preprocessing.of(model.preprocessing)
    of_images = (_channels(described), _ranges(described), _crops(described), _interpolations(described))
    return list(chain(*of_images, _options(model, assumed_options)))


def _channels(now: Preprocessing) -> Iterator[Change]:
    words = {
        Channels.BGR: "channels are in the order blue, green, red",
        Channels.RGB: "channels are in the order red, green, blue",
    }
    for channels, said in words.items():
        if channels is not now.channels and now.channels is not Channels.GREY:
            yield Change("channels", said, {"preprocessing": {"channels": channels.value}})


def _ranges(now: Preprocessing) -> Iterator[Change]:
    """Of a grey network with one mean none: which of three it would be nobody knows."""
    own = np.array(now.in_unit_range)
    for words, asked in _RANGES.items():
        other = np.array(Preprocessing(input_size=now.input_size, **asked).in_unit_range)
        if own.shape == other.shape and not np.allclose(own, other, atol=0.005):
            yield Change("range", words, {"preprocessing": asked})


def _crops(now: Preprocessing) -> Iterator[Change]:
    longer = [round(side * 8 / 7) for side in now.size]
    shorter = longer[0] if now.size.is_square else longer
    known: dict[str, Any] = {
        "images are cropped to a square": "shorter_side_crop",
        "images are stretched to a square": "stretch",
        f"images are resized to a shorter side of {shorter} pixels, then cropped": {"shorter_side": shorter},
        "images are padded to a square": {"pad": "black"},
    }
    own = now.model_dump(mode="json", include={"resize"})["resize"]
    for words, resize in known.items():
        if resize != own:
            yield Change("crop", words, {"preprocessing": {"resize": resize}})


def _interpolations(now: Preprocessing) -> Iterator[Change]:
    for one in Interpolation:
        if one is not now.interpolation or not now.antialias:
            asked = {"interpolation": one.value} | ({} if now.antialias else {"antialias": True})
            words = f"images are resized by {one} interpolation" + ("" if now.antialias else ", with antialias")
            yield Change("interpolation", words, {"preprocessing": asked})
    if now.antialias and now.interpolation is not Interpolation.LANCZOS:
        words = "images are resized without antialias"
        yield Change("interpolation", words, {"preprocessing": {"antialias": False}})


def _options(model: JobModel, assumed: tuple[str, ...]) -> Iterator[Change]:
    for name in assumed:
        now = model.architecture_options.get(name)
        others = [not now] if isinstance(now, bool) else [pool for pool in _POOLS if name == "global_pool"]
        for value in others:
            if value != now:
                yield Change(name, f"{name} is {str(value).lower()}", {"architecture_options": {name: value}})
