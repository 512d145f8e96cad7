"""Resizing without antialias, as torch's and OpenCV's: every new pixel is mixed of at most four neighbours a direction.

In NumPy: the API has no torch, and the worker's thread that decodes must not start torch's (``SampleReader``).
"""

import numpy as np
from numpy.typing import NDArray

from app.domain.models.input_spec import Interpolation

Floats = NDArray[np.float32]

_A = -0.75
"""Of the cubic in torch and OpenCV; Pillow's is -0.5."""


def sampled(pixels: NDArray[np.uint8], scaled: tuple[int, int], interpolation: Interpolation) -> NDArray[np.uint8]:
    """``pixels`` (H, W, 3) at ``scaled`` width and height: nearest, bilinear or bicubic, borders repeated."""
    width, height = scaled
    if interpolation is Interpolation.NEAREST:
        return np.ascontiguousarray(pixels[_nearest(len(pixels), height)][:, _nearest(pixels.shape[1], width)])
    # Across first, and in between to whole levels, as torch does it.
    across = _mixed(pixels.swapaxes(0, 1), width, interpolation)
    return np.ascontiguousarray(_mixed(across.swapaxes(0, 1), height, interpolation))


def _nearest(length: int, count: int) -> NDArray[np.int64]:
    """The first pixel of each, not the middle one as Pillow takes it; torch's arithmetic is float32."""
    places = np.arange(count, dtype=np.float32) * np.float32(length / count)
    found: NDArray[np.int64] = np.floor(places).astype(np.int64).clip(0, length - 1)
    return found


def _mixed(lines: NDArray[np.uint8], count: int, interpolation: Interpolation) -> NDArray[np.uint8]:
    """(L, N, 3) to (count, N, 3): sums of neighbouring lines by their weights."""
    length = len(lines)
    centres = (np.arange(count) + 0.5) * (length / count) - 0.5
    if interpolation is Interpolation.BILINEAR:
        centres = centres.clip(0)
    first = np.floor(centres).astype(np.int64)
    weights = _weights((centres - first).astype(np.float32), interpolation)
    begin = 1 - len(weights) // 2
    mixed = np.zeros((count, *lines.shape[1:]), np.float32)
    for place, weight in enumerate(weights):
        mixed += weight[:, None, None] * lines[(first + begin + place).clip(0, length - 1)]
    return mixed.round().clip(0, 255).astype(np.uint8)


def _weights(parts: Floats, interpolation: Interpolation) -> tuple[Floats, ...]:
    """Of the neighbours of a point that lies ``parts`` (N,) of the way from one pixel to the next."""
    if interpolation is Interpolation.BILINEAR:
        return np.asarray(1 - parts, dtype=np.float32), parts
    return _far(1 + parts), _near(parts), _near(1 - parts), _far(2 - parts)


def _near(distance: Floats) -> Floats:
    """Keys (1981), within one pixel."""
    return np.asarray(((_A + 2) * distance - (_A + 3)) * distance * distance + 1, dtype=np.float32)


def _far(distance: Floats) -> Floats:
    """The same between one pixel and two."""
    return np.asarray((((distance - 5) * distance + 8) * distance - 4) * _A, dtype=np.float32)
