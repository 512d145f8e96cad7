"""The table of deformations, each held against another implementation: ``python -m benchmarks.deformations``."""

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter
from scipy.special import jv
from skimage.data import astronaut, chelsea, coffee
from torchvision.transforms.v2 import functional

from app.domain.views.deformations import DEFORMATIONS, Kind
from app.imaging.pixel_order import order_generator
from worker.functional.corruptions import corrupted
from worker.functional.levels import Numbers, Pixels, Stream

Peer = Callable[[Pixels, Numbers, Stream], NDArray[np.uint8]]


PHOTOGRAPHS: tuple[Callable[[], Pixels], ...] = (astronaut, chelsea, coffee)


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
    """Tilts and blur through whole Fourier transforms, the correlation through SciPy's quadrature, torch's sampling."""
    height, width = image.shape[:2]
    down, right = (np.abs((np.arange(2 * side) + side) % (2 * side) - side) for side in (height, width))
    apart = 0.175 * np.hypot(down[:, None], right)
    knots = np.linspace(0, apart.max() ** 0.5, 150) ** 2
    correlation = CubicSpline(knots, [_tilts_alike(float(knot)) for knot in knots])(apart)
    roots = np.sqrt(np.fft.fft2(correlation).real.clip(0))
    white = [stream.standard_normal(apart.shape) for _ in range(2)]
    fields = [np.fft.ifft2(np.fft.fft2(one) * roots).real[:height, :width] for one in white]
    moved = [(one - one.mean()) * 0.448**0.5 * 4 / np.pi * numbers[0] ** (5 / 6) for one in fields]
    places = [2 * (np.indices((height, width))[axis] + moved[axis]) / (image.shape[axis] - 1) - 1 for axis in (1, 0)]
    grid = torch.from_numpy(np.stack(places, -1))[None]
    planes = torch.from_numpy(image / 255).permute(2, 0, 1)[None]
    tilted = torch.nn.functional.grid_sample(planes, grid, "bilinear", "border", align_corners=True)[0].numpy()
    mirrored = np.pad(tilted, ((0, 0), (0, height), (0, width)), mode="symmetric")
    x = np.minimum(2 * np.hypot(np.fft.fftfreq(2 * height)[:, None], np.fft.fftfreq(2 * width)), 1)
    passed = 2 / np.pi * (np.arccos(x) - x * np.sqrt(1 - x**2))
    passed *= np.exp(-3.44 * (x * numbers[0]) ** (5 / 3) * (1 - x ** (1 / 3)))
    blurred = np.fft.ifft2(np.fft.fft2(mirrored) * passed).real[:, :height, :width]
    return _truncated(blurred.transpose(1, 2, 0))


@cache
def _tilts_alike(apart: float) -> float:
    def weighted(z: float, bessel: Callable[[float], float]) -> float:
        return float(z ** (-14 / 3) * bessel(2 * apart * z) * jv(2, z) ** 2)

    def integral(bessel: Callable[[float], float]) -> float:
        return float(quad(weighted, 1e-9, 30, args=(bessel,), limit=2000)[0])

    whole = quad(lambda z: z ** (-14 / 3) * jv(2, z) ** 2, 1e-9, 30)[0]
    return (integral(lambda x: float(jv(0, x))) + integral(lambda x: float(jv(2, x)))) / float(whole)


BY_PACKAGE: tuple[Kind, ...] = (
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "spatter",
)
"""Held against what imagecorruptions 1.1.2 made of one photograph (`benchmarks.record_imagecorruptions`)."""
RECORDED = Path(__file__).with_name("imagecorruptions.npz")
FROSTED = "frosted_sizes"
"""SHA-256 of its frost at all severities, by size: a photograph of frost that does not cover the image is enlarged."""
FROSTED_SIZES = ((32, 1000), (800, 32), (620, 940), (400, 540))


def recorded_image() -> Pixels:
    """(64, 48, 3) of a cat's face."""
    face: Pixels = np.ascontiguousarray(chelsea()[80:208:2, 110:206:2])
    return face


def image_of_size(size: tuple[int, int]) -> Pixels:
    """The same face, repeated."""
    return np.resize(recorded_image(), (*size, 3))


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


def differences(kind: Kind, images: torch.Tensor) -> tuple[int, float]:
    """Of ``images`` (N, 3, H, W) uint8 at all severities: the largest difference in levels, the share that differs. Of
    what is held against a recording, of its one image.
    """
    apart = _from_recording(kind) if kind in BY_PACKAGE else _from_peer(kind, images)
    return int(np.max(apart)), float(np.mean(np.array(apart) > 0))


def _from_recording(kind: Kind) -> list[NDArray[Any]]:
    made, image = np.load(RECORDED)[kind], torch.from_numpy(recorded_image()).permute(2, 0, 1)[None]
    ours = [
        corrupted(kind, image, numbers, [stream_of(severity, 0)])[0].permute(1, 2, 0).numpy()
        for severity, numbers in enumerate(DEFORMATIONS[kind].by_severity, start=1)
    ]
    return [np.abs(one.astype(int) - other) for one, other in zip(ours, made, strict=True)]


def _from_peer(kind: Kind, images: torch.Tensor) -> list[NDArray[Any]]:
    peer = PEERS[kind][1]
    apart = []
    for number, numbers in enumerate(DEFORMATIONS[kind].by_severity):
        ours = corrupted(kind, images, numbers, _streams(number, len(images)))
        theirs = [
            peer(image, numbers, stream)
            for image, stream in zip(images.permute(0, 2, 3, 1).numpy(), _streams(number, len(images)), strict=True)
        ]
        apart.append(np.abs(ours.permute(0, 2, 3, 1).numpy().astype(int) - np.stack(theirs)))
    return apart


def _streams(severity: int, count: int) -> list[Stream]:
    return [stream_of(severity, number) for number in range(count)]


def stream_of(severity: int, number: int) -> Stream:
    """Of one image."""
    return order_generator(0, str(number), f"{severity}")


def main() -> None:
    pictures = [torch.from_numpy(make().copy()).permute(2, 0, 1) for make in PHOTOGRAPHS]
    images = torch.stack([functional.resize(one, [224, 224]) for one in pictures])
    print("| deformation | its numbers | severity 1 to 5 | made by | held against | levels apart | that differ |")
    print("|" + " --- |" * 7)
    for kind, spec in DEFORMATIONS.items():
        most, share = differences(kind, images)
        numbers = "; ".join(", ".join(f"{number:g}" for number in each) for each in spec.by_severity)
        words = ", ".join(spec.numbers)
        peer = "imagecorruptions 1.1.2" if kind in BY_PACKAGE else PEERS[kind][0]
        print(f"| `{kind}` | {words} | {numbers} | {spec.made_by} | {peer} | {most} | {share:.2%} |")


if __name__ == "__main__":
    main()
