"""transformers' ``preprocessor_config.json``: from its steps to a registration's ``preprocessing``.

Its steps are: resize, crop the middle, multiply by ``rescale_factor``, subtract the mean and divide by the deviation.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain.refusals.architectures import CONFIG_CODE, CONFIG_FIELD
from app.models.configs.fields import Json, Said, Unsaid
from app.models.configs.transforms import interpolated, shorter_side, stretched

_FILE = "preprocessor_config"
_KIND = re.compile(r"(\w+?)(?:ImageProcessor|FeatureExtractor)(?:Fast|Pil)?")
_RESAMPLES = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
_KNOWN_FLAGS = frozenset(
    {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_flip_channel_order"}
    | {"do_reduce_labels"}
)
_KEEPS_SHAPES = "is false, so that images keep their shapes"
_ALMOST = 1e-6
_LARGEST_RESIZED = 384
"""From this side on ConvNeXt's processor stretches, and crops nothing."""


class _Kind(NamedTuple):
    """How a class of image processors reads its file: a ``size`` that is a number, and a crop that it does not name."""

    stretches: bool
    crops: bool | None


_KINDS = {
    "Beit": _Kind(stretches=True, crops=None),
    "Bit": _Kind(stretches=False, crops=None),
    "CLIP": _Kind(stretches=False, crops=None),
    "ConvNext": _Kind(stretches=False, crops=False),
    "DeiT": _Kind(stretches=True, crops=None),
    "EfficientNet": _Kind(stretches=True, crops=None),
    "MobileNetV1": _Kind(stretches=False, crops=None),
    "MobileNetV2": _Kind(stretches=False, crops=None),
    "MobileViT": _Kind(stretches=False, crops=None),
    "Pvt": _Kind(stretches=True, crops=False),
    "ViT": _Kind(stretches=True, crops=False),
}


def said_by_processor(processor: Json) -> Said:
    """Raises Unprocessable where the file names code to run, or a processor that is not known."""
    if processor.get("auto_map"):
        raise Unsaid(CONFIG_CODE, (_FILE, "auto_map")).error()
    key = "image_processor_type" if "image_processor_type" in processor else "feature_extractor_type"
    named = _KIND.fullmatch(str(processor.get(key)))
    kind = _KINDS.get(named[1]) if named else None
    if kind is None:
        what = f"is {str(processor.get(key))[:60]!r}; known are {', '.join(f'{name}ImageProcessor' for name in _KINDS)}"
        raise _unsaid(key, what).error()
    for flag, value in processor.items():
        if flag.startswith("do_") and value and flag not in _KNOWN_FLAGS:
            raise _unsaid(flag, "is a step that is not known").error()
    named_kind = named[1] if named else ""
    said = _geometry(processor, kind, named_kind) | _colours(processor, named_kind)
    if said.get("resize", "stretch") != "stretch":
        said["crop_offset"] = "floored"  # the library's own way to find the middle; torchvision's is one pixel beside
    if processor.get("do_flip_channel_order", named_kind == "MobileViT"):
        said["channels"] = "bgr"
    return Said({"preprocessing": said})


def _geometry(processor: Json, kind: _Kind, name: str) -> Json:
    """``input_size``, ``resize`` and ``interpolation``."""
    if not processor.get("do_resize", True):
        return {"input_size": _unsaid("do_resize", "is false, so that images keep their sizes")}
    resample = processor.get("resample")
    named = _RESAMPLES.get(resample, resample) if isinstance(resample, int) else resample
    said = interpolated(named, (_FILE, "resample"))
    exact, shorter = _sizes(processor.get("size"), stretches=kind.stretches)
    if name == "ConvNext" and shorter is not None:
        return said | _convnext(processor, shorter)
    if exact is None and shorter is None:
        return said | {"input_size": _unsaid("size", "is no side, shortest_edge, or height and width")}
    return said | _cut(processor, exact, shorter, processor.get("do_center_crop", kind.crops))


def _cut(processor: Json, exact: tuple[int, int] | None, shorter: int | None, crops: object) -> Json:
    if crops is None:
        return {"input_size": _unsaid("do_center_crop", "is missing, and versions of the library differ")}
    crop = _sizes(processor.get("crop_size"), stretches=True)[0] if crops else exact
    if crop is None:
        key, what = ("crop_size", "is no side, or height and width") if crops else ("do_center_crop", _KEEPS_SHAPES)
        return {"input_size": _unsaid(key, what)}
    if exact is not None:
        return stretched(exact, crop, (_FILE, "crop_size"))
    if shorter is None or max(crop) > shorter:
        return {"input_size": _unsaid("crop_size", "is not within the resized image")}
    return shorter_side(shorter, crop)


def _sizes(size: Any, *, stretches: bool) -> tuple[tuple[int, int] | None, int | None]:
    """Height and width that images are stretched to, or what their shorter side becomes."""
    if isinstance(size, int):
        return ((size, size), None) if stretches else (None, size)
    if isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size):
        return (size[0], size[1]), None
    if not isinstance(size, dict):
        return None, None
    named = {name: value for name, value in size.items() if value is not None}
    if set(named) == {"height", "width"} and all(isinstance(side, int) for side in named.values()):
        return (named["height"], named["width"]), None
    is_shorter = set(named) == {"shortest_edge"} and isinstance(named["shortest_edge"], int)
    return (None, named["shortest_edge"]) if is_shorter else (None, None)


def _convnext(processor: Json, side: int) -> Json:
    share = processor.get("crop_pct")
    if side >= _LARGEST_RESIZED:
        return {"input_size": side, "resize": "stretch"}
    if not isinstance(share, int | float) or not 0.1 <= share <= 1:
        return {"input_size": _unsaid("crop_pct", "is no share from 0.1 to 1")}
    return shorter_side(int(side / share), (side, side))


def _colours(processor: Json, name: str) -> Json:
    """``mean`` and ``std`` of values from 0 to 1, whatever the file's own range is."""
    channels = [_numbers(processor.get(key)) for key in ("image_mean", "image_std")]
    normalizes = processor.get("do_normalize", name != "MobileViT")
    if normalizes and None in channels:
        key = "image_mean" if channels[0] is None else "image_std"
        return {"mean": _unsaid(key, "is no list of three numbers")}
    mean, std = ([0.0] * 3, [1.0] * 3) if not normalizes else (channels[0] or [], channels[1] or [])
    if name == "EfficientNet" and processor.get("include_top", True) and channels[1]:
        std = [one * again for one, again in zip(std, channels[1], strict=True)]  # it divides a second time
    factor, offset = processor.get("rescale_factor", 1 / 255), float(bool(processor.get("rescale_offset")))
    if not processor.get("do_rescale", True):
        factor, offset = 1.0, 0.0
    if not isinstance(factor, int | float) or factor <= 0:
        return {"mean": _unsaid("rescale_factor", "is no positive number")}
    scale = 255 * factor
    if abs(scale - 1) < _ALMOST and not offset:
        return {"mean": mean, "std": std}
    return {"mean": [(one + offset) / scale for one in mean], "std": [one / scale for one in std]}


def _numbers(value: Any) -> Sequence[float] | None:
    """One number stands for all channels."""
    many = [value] * 3 if isinstance(value, int | float) else value
    is_three = isinstance(many, list) and len(many) == 3 and all(isinstance(one, int | float) for one in many)
    return many if is_three else None


def _unsaid(key: str, what: str) -> Unsaid:
    return Unsaid(CONFIG_FIELD, (_FILE, key), {"what": what})
