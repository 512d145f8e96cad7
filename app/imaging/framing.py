"""From a picture of any size to the rectangle that a model gets, in 8-bit RGB."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.models.input_spec import CropOffset, InputSpec, Interpolation, PadResizing, StretchResizing
from app.domain.vocabulary import Resize
from app.imaging.sampling import sampled

_PILLOW = {one: Image.Resampling[one.name] for one in Interpolation}


Part = tuple[float, float, float, float]
"""Left, top, right and bottom as shares of a picture; below 0 and above 1 beside it."""
WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


class Frame(NamedTuple):
    """Width and height to resize to, and where the input then begins; below zero it begins beside the picture."""

    scaled: tuple[int, int]
    left: int = 0
    top: int = 0


def prepare(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """The model's input (height, width, 3) of a picture in mode RGB."""
    (height, width), frame = spec.size, frame_of(image.size, spec)
    resized = _resized(image, frame.scaled, spec)
    if spec.padding is not None:
        padded = Image.new("RGB", (width, height), spec.padding)
        padded.paste(resized, (-frame.left, -frame.top))
        return np.asarray(padded)
    if frame.scaled == (width, height):
        return np.asarray(resized)
    return np.asarray(resized.crop((frame.left, frame.top, frame.left + width, frame.top + height)))


def frame_of(whole: tuple[int, int], spec: InputSpec) -> Frame:
    """Of a picture of so many pixels, width first: as torchvision's Resize and CenterCrop have it, and where the whole
    picture stays, as timm's ResizeKeepRatio and CenterCropOrPad."""
    inside, resize = spec.size[::-1], spec.resize
    if isinstance(resize, PadResizing):
        ratio = max(side / own for side, own in zip(whole, inside, strict=True))
        width, height = (max(1, round(side / ratio)) for side in whole)
        return Frame((width, height), -((inside[0] - width) // 2), -((inside[1] - height) // 2))
    if isinstance(resize, StretchResizing):
        return _middle(spec.size_before_crop[::-1], spec)
    if resize is Resize.STRETCH:
        return Frame(inside)
    return _middle(_covering(whole, spec), spec)


def seen_part(whole: tuple[int, int], spec: InputSpec) -> Part:
    """What a model's input shows of a picture of so many pixels, width first."""
    if spec.resize is Resize.STRETCH:
        return WHOLE
    (width, height), left, top = frame_of(whole, spec)
    return left / width, top / height, (left + spec.size.width) / width, (top + spec.size.height) / height


def _covering(whole: tuple[int, int], spec: InputSpec) -> tuple[int, int]:
    """Width and height with the aspect kept: of one side as torchvision's Resize rounds, of two as timm's."""
    least = spec.size_before_crop
    if least.is_square:
        sides = (int(least.width * side / min(whole)) for side in whole)
    else:
        ratio = min(side / own for side, own in zip(whole, least[::-1], strict=True))
        sides = (round(side / ratio) for side in whole)
    width, height = (max(own, side) for own, side in zip(spec.size[::-1], sides, strict=True))
    return width, height


def _middle(scaled: tuple[int, int], spec: InputSpec) -> Frame:
    beside = [side - own for side, own in zip(scaled, spec.size[::-1], strict=True)]
    left, top = (one // 2 if spec.crop_offset is CropOffset.FLOORED else round(one / 2) for one in beside)
    return Frame(scaled, left, top)


def _resized(image: Image.Image, scaled: tuple[int, int], spec: InputSpec) -> Image.Image:
    if spec.antialias:
        return image.resize(scaled, _PILLOW[spec.interpolation])
    return Image.fromarray(sampled(np.asarray(image), scaled, spec.interpolation))
