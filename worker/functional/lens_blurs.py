"""ImageNet-C's blurs of a lens, of glass, of motion and of zooming (arXiv 1903.12261), with the parameters and the
arithmetic of its package imagecorruptions; that needs no ImageMagick, and takes images of any size.

Each takes an image (H, W, 3) uint8, its numbers at a severity, and the stream that random ones draw from.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from skimage.filters import gaussian

from worker.functional.levels import Numbers, Pixels, Stream, Values, eight_bits

Layer = NDArray[np.uint8] | NDArray[np.float32] | Values


def defocus_blur(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """By a disc of some radius whose edge is softened by a Gaussian; the image is mirrored at its edge's middles."""
    del stream
    return eight_bits(cv2.filter2D(image / 255, -1, _disc(int(numbers[0]), numbers[1])))


def _disc(radius: int, softness: float) -> NDArray[np.float32]:
    """(D, D) of sum 1, with room for the softened edge."""
    offsets = np.arange(-max(8, radius), max(8, radius) + 1)
    inside = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.float32)
    size = (3, 3) if radius <= 8 else (5, 5)
    soft: NDArray[np.float32] = cv2.GaussianBlur(inside / inside.sum(), size, sigmaX=softness)
    return soft


def glass_blur(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """Blurred, every pixel replaced by one nearby, blurred again.

    The authors meant to swap them; what their lines do in NumPy, and did for ImageNet-C, is to copy.
    """
    sigma, reach, times = numbers[0], int(numbers[1]), int(numbers[2])
    levels = eight_bits(gaussian(image / 255, sigma=sigma, channel_axis=-1))
    (height, width), source = image.shape[:2], list(range(image.shape[0] * image.shape[1]))
    rows, columns = np.arange(height - reach, reach, -1), np.arange(width - reach, reach, -1)
    here = (rows[:, None] * width + columns).ravel()
    for _ in range(times):
        right, down = stream.integers(-reach, reach, (here.size, 2)).T
        for place, nearby in zip(here.tolist(), (here + down * width + right).tolist(), strict=True):
            source[place] = source[nearby]
    copied = levels.reshape(-1, 3)[source].reshape(image.shape)
    return eight_bits(gaussian(copied / 255, sigma=sigma, channel_axis=-1))


def motion_blur(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """Along a line within 45 degrees of level."""
    angle = stream.uniform(-45, 45)
    return np.clip(swept(image, int(numbers[0]), numbers[1], angle), 0, 255).astype(np.uint8)


def swept(values: Layer, radius: int, sigma: float, angle: float) -> Values:
    """(H, W, ...) blurred one way along a line at ``angle`` degrees: half a Gaussian over ``2 * radius + 1`` whole
    pixels; the edge is repeated.
    """
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    turned = np.deg2rad(angle)
    down, right = (-np.ceil(steps * part - 0.5).astype(int) for part in (np.sin(turned), np.cos(turned)))
    height, width = values.shape[:2]
    reach = steps.size
    padded = np.pad(values, [(reach, reach), (reach, reach), *[(0, 0)] * (values.ndim - 2)], mode="edge")
    total = np.zeros(values.shape)
    for weight, below, beside in zip(weights / weights.sum(), down.tolist(), right.tolist(), strict=True):
        if abs(below) >= height or abs(beside) >= width:
            break
        top, left = reach - below, reach - beside
        total += weight * padded[top : top + height, left : left + width]
    return total


def zoom_blur(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """The mean of the image and of what a lens shows of it, zooming from 1 in steps to below a factor."""
    del stream
    values = (image / 255).astype(np.float32)
    factors = np.arange(1, *numbers)
    total = sum(zoomed(values, factor)[: image.shape[0], : image.shape[1]] for factor in factors)
    return eight_bits((values + total) / (factors.size + 1))


def zoomed(values: Layer, factor: float) -> Layer:
    """The middle of (H, W, C), enlarged bilinearly to (H, W, C) or a pixel more."""
    height, width = values.shape[:2]
    rows, columns = int(np.ceil(height / factor)), int(np.ceil(width / factor))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = values[top : top + rows, left : left + columns]
    large: Layer = zoom(middle, (factor, factor, 1), order=1)
    return large
