"""Deformations by other tools, or by their formulas, from the same streams of random numbers."""

import itertools
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torchvision.transforms.v2 import functional

from app.domain.views.deformations import Kind
from benchmarks.turbulence_peer import turbulence
from worker.functional.levels import Numbers, Pixels, Stream

Peer = Callable[[Pixels, Numbers, Stream], NDArray[np.uint8]]


def _truncated(values: NDArray[Any]) -> Pixels:
    levels: Pixels = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return levels


def _gaussian(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return _truncated(image / 255 + stream.normal(0, numbers[0], image.shape))


def _shot(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return _truncated(stream.poisson(image / 255 * numbers[0]) / numbers[0])


def _impulse(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    hit = stream.random(image.shape) <= numbers[0]
    return np.where(hit, np.where(stream.random(image.shape) <= 0.5, 255, 0), _truncated(image / 255)).astype(np.uint8)


def _impulse_per_pixel(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    hit, salt = (stream.random(image.shape[:2]) for _ in range(2))
    levels = np.where(salt <= 0.5, 255, 0)[..., None]
    return np.where((hit <= numbers[0])[..., None], levels, image).astype(np.uint8)


def _speckle(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    values = image / 255
    return _truncated(values * (1 + stream.normal(0, numbers[0], image.shape)))


def _blur(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    one = [gaussian_filter(image[..., channel] / 255, numbers[0], mode="nearest") for channel in range(3)]
    return _truncated(np.stack(one, -1))


def _brightness(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    return _hsv_by_opencv(image, 2, 1, numbers[0])


def _saturate(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    return _hsv_by_opencv(image, 1, *numbers)


def _hsv_by_opencv(image: Pixels, channel: int, factor: float, added: float) -> Pixels:
    values = cv2.cvtColor((image / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    values[..., channel] = np.clip(values[..., channel] * factor + added, 0, 1)
    changed: NDArray[Any] = cv2.cvtColor(values, cv2.COLOR_HSV2RGB)
    return _truncated(changed)


def _contrast(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    values = torch.from_numpy(image / 255)
    return _truncated(torch.lerp(values.mean((0, 1), keepdim=True), values, numbers[0]).numpy())


def _pixelate(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    """Each way's means first across, then down; a pixel counts whole where its middle lies in the box."""
    height, width = image.shape[:2]
    small = _box_means(_box_means(image, int(width * numbers[0]), 1), int(height * numbers[0]), 0)
    rows, columns = (
        ((np.arange(large) + 0.5) * small.shape[axis] / large).astype(int) for axis, large in enumerate((height, width))
    )
    whole: Pixels = small[rows][:, columns]
    return whole


def _box_means(image: Pixels, count: int, axis: int) -> Pixels:
    edges = (np.arange(count + 1) * image.shape[axis] / count + 0.5).astype(int)
    parts = [np.take(image, range(*pair), axis).mean(axis) for pair in itertools.pairwise(edges.tolist())]
    means: Pixels = np.floor(np.stack(parts, axis) + 0.5).astype(np.uint8)
    return means


def _jpeg(image: Pixels, numbers: Numbers, _stream: Stream) -> Pixels:
    compressed = functional.jpeg(torch.from_numpy(image).permute(2, 0, 1).contiguous(), int(numbers[0]))
    pixels: Pixels = compressed.permute(1, 2, 0).numpy()
    return pixels


def _occlusion(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    side = round((numbers[0] * image.shape[0] * image.shape[1]) ** 0.5)
    top, left = (int(stream.integers(0, length - side + 1)) for length in image.shape[:2])
    hidden = image.copy()
    hidden[top : top + side, left : left + side] = np.floor(image.reshape(-1, 3).mean(0)).astype(np.uint8)
    return hidden


def _turbulence(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return _truncated(turbulence(image, numbers, stream))


PEERS: dict[Kind, tuple[str, Peer]] = {
    "gaussian_noise": ("NumPy, by the formula", _gaussian),
    "shot_noise": ("NumPy, by the formula", _shot),
    "impulse_noise": ("NumPy, by the formula", _impulse),
    "impulse_noise_per_pixel": ("NumPy, by the formula", _impulse_per_pixel),
    "speckle_noise": ("NumPy, by the formula", _speckle),
    "gaussian_blur": ("SciPy, channel by channel", _blur),
    "brightness": ("OpenCV, float32", _brightness),
    "contrast": ("torch", _contrast),
    "saturate": ("OpenCV, float32", _saturate),
    "pixelate": ("NumPy, by the box filter's definition", _pixelate),
    "jpeg_compression": ("torchvision", _jpeg),
    "occlusion": ("NumPy, by the formula", _occlusion),
    "turbulence": ("NumPy, SciPy's quadrature and torch, by the formula", _turbulence),
}
