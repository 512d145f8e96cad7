"""From a picture of any size to the square that a model gets, in 8-bit RGB."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.preprocessing import CropOffset, InputSpec, Interpolation, Pad, ShorterSide, Stretch
from app.domain.vocabulary import Resize
from app.imaging.sampling import sampled

_PILLOW = {one: Image.Resampling[one.name] for one in Interpolation}


class Frame(NamedTuple):
    """Width and height to resize to, and where the square then begins; below zero it begins beside the picture."""

    scaled: tuple[int, int]
    left: int = 0
    top: int = 0


def prepare(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """The model's input (size, size, 3) of a picture in mode RGB."""
    size, frame = spec.size, frame_of(image.size, spec)
    resized = _resized(image, frame.scaled, spec)
    if spec.padding is not None:
        square = Image.new("RGB", (size, size), spec.padding)
        square.paste(resized, (-frame.left, -frame.top))
        return np.asarray(square)
    if frame.scaled == (size, size):
        return np.asarray(resized)
    return np.asarray(resized.crop((frame.left, frame.top, frame.left + size, frame.top + size)))


def frame_of(whole: tuple[int, int], spec: InputSpec) -> Frame:
    """Of a picture of so many pixels, width first: as torchvision's Resize and CenterCrop have it, and where the whole
    picture stays, as timm's ResizeKeepRatio and CenterCropOrPad."""
    size, resize = spec.size, spec.resize
    if isinstance(resize, Pad):
        ratio = max(whole) / size
        width, height = (max(1, round(side / ratio)) for side in whole)
        return Frame((width, height), -((size - width) // 2), -((size - height) // 2))
    if isinstance(resize, Stretch):
        return _middle((resize.stretch, resize.stretch), spec)
    if resize is Resize.STRETCH:
        return Frame((size, size))
    shorter = resize.shorter_side if isinstance(resize, ShorterSide) else size
    width, height = (max(size, int(shorter * side / min(whole))) for side in whole)
    return _middle((width, height), spec)


def _middle(scaled: tuple[int, int], spec: InputSpec) -> Frame:
    beside = [side - spec.size for side in scaled]
    left, top = (one // 2 if spec.crop_offset is CropOffset.FLOORED else round(one / 2) for one in beside)
    return Frame(scaled, left, top)


def _resized(image: Image.Image, scaled: tuple[int, int], spec: InputSpec) -> Image.Image:
    if spec.antialias:
        return image.resize(scaled, _PILLOW[spec.interpolation])
    return Image.fromarray(sampled(np.asarray(image), scaled, spec.interpolation))
