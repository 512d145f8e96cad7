"""The formula of turbulence, computed otherwise: whole Fourier transforms, quadrature, torch's sampling."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.special import jv

from worker.functional.levels import Numbers, Pixels, Stream


def turbulence(image: Pixels, numbers: Numbers, stream: Stream) -> NDArray[np.float64]:
    """(H, W, 3) of 0 to 1: tilts, then blur."""
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
    values: NDArray[np.float64] = blurred.transpose(1, 2, 0)
    return values


@cache
def _tilts_alike(apart: float) -> float:
    def weighted(z: float, bessel: Callable[[float], float]) -> float:
        return float(z ** (-14 / 3) * bessel(2 * apart * z) * jv(2, z) ** 2)

    def integral(bessel: Callable[[float], float]) -> float:
        return float(quad(weighted, 1e-9, 30, args=(bessel,), limit=2000)[0])

    whole = quad(lambda z: z ** (-14 / 3) * jv(2, z) ** 2, 1e-9, 30)[0]
    return (integral(lambda x: float(jv(0, x))) + integral(lambda x: float(jv(2, x)))) / float(whole)
