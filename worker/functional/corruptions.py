"""Corruptions of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261), by the libraries that its authors used,
occlusion by torchvision, and the air's turbulence. Blurs and weather have files of their own.

Every one takes an image (H, W, 3) uint8 RGB, its numbers at a severity, and a generator, from which those that are
random draw. It returns an image of the same kind. Values are clipped to [0, 1] and truncated, as the authors' are.
"""

from collections.abc import Callable, Sequence
from io import BytesIO
from math import sqrt

import numpy as np
import torch
from PIL import Image
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian
from skimage.util import random_noise
from torch import Tensor
from torchvision.transforms.v2.functional import erase

from worker.functional.frost import frost
from worker.functional.lens_blurs import defocus_blur, glass_blur, motion_blur, zoom_blur
from worker.functional.levels import Numbers, Pixels, Stream, eight_bits
from worker.functional.turbulence import turbulence
from worker.functional.weather import fog, snow, spatter


def corrupted(kind: str, images: Tensor, numbers: Numbers, streams: Sequence[Stream]) -> Tensor:
    """``images`` (N, 3, H, W) uint8 with one stream each; a new tensor of the same shape and device.

    Raises KeyError where there is no such corruption.
    """
    change = CORRUPTIONS[kind]
    pixels = images.cpu().permute(0, 2, 3, 1).contiguous().numpy()
    changed = [change(image, numbers, stream) for image, stream in zip(pixels, streams, strict=True)]
    return torch.from_numpy(np.stack(changed)).permute(0, 3, 1, 2).contiguous().to(images.device)


def _gaussian_noise(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return eight_bits(random_noise(image / 255, "gaussian", rng=stream, var=numbers[0] ** 2))


def _shot_noise(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """scikit-image's own Poisson noise takes the number of photons from the image; here it is given."""
    return eight_bits(stream.poisson(image / 255 * numbers[0]) / numbers[0])


def _impulse_noise(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return eight_bits(random_noise(image / 255, "s&p", rng=stream, amount=numbers[0]))


def _impulse_noise_per_pixel(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """All channels of a pixel become black, or white."""
    hit = random_noise(np.full(image.shape[:2], 0.5), "s&p", rng=stream, amount=numbers[0])[..., None]
    return np.where(hit == 0.5, image, eight_bits(hit))


def _speckle_noise(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    return eight_bits(random_noise(image / 255, "speckle", rng=stream, var=numbers[0] ** 2))


def _gaussian_blur(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    del stream
    return eight_bits(gaussian(image / 255, sigma=numbers[0], channel_axis=-1))


def _brightness(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    del stream
    return _in_hsv(image, 2, 1.0, numbers[0])


def _saturate(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    del stream
    return _in_hsv(image, 1, *numbers)


def _contrast(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """Towards the mean of each channel."""
    del stream
    values = image / 255
    means = values.mean((0, 1), keepdims=True)
    return eight_bits((values - means) * numbers[0] + means)


def _pixelate(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    del stream
    whole = Image.fromarray(image)
    small = whole.resize((int(whole.width * numbers[0]), int(whole.height * numbers[0])), Image.Resampling.BOX)
    return np.asarray(small.resize(whole.size, Image.Resampling.BOX))


def _jpeg_compression(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    del stream
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(numbers[0]))
    with Image.open(file) as compressed:
        return np.asarray(compressed)


def _occlusion(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """A square that lies whole within the image, wherever the stream says."""
    height, width = image.shape[:2]
    side = min(round(sqrt(numbers[0] * height * width)), height, width)
    top, left = (int(stream.integers(0, length - side + 1)) for length in (height, width))
    mean = torch.from_numpy(eight_bits(image.mean((0, 1)) / 255)).view(3, 1, 1)
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    hidden: Pixels = erase(planes, top, left, side, side, mean).permute(1, 2, 0).numpy()
    return hidden


def _in_hsv(image: Pixels, channel: int, factor: float, added: float) -> Pixels:
    values = rgb2hsv(image / 255)
    values[..., channel] = np.clip(values[..., channel] * factor + added, 0, 1)
    return eight_bits(hsv2rgb(values))


CORRUPTIONS: dict[str, Callable[[Pixels, Numbers, Stream], Pixels]] = {
    "gaussian_noise": _gaussian_noise,
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "impulse_noise_per_pixel": _impulse_noise_per_pixel,
    "speckle_noise": _speckle_noise,
    "gaussian_blur": _gaussian_blur,
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "spatter": spatter,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturate": _saturate,
    "pixelate": _pixelate,
    "jpeg_compression": _jpeg_compression,
    "occlusion": _occlusion,
    "turbulence": turbulence,
}
"""By the names of `app.domain.views.deformations`."""
