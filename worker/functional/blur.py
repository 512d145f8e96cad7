"""Salience-guided degradation: every pixel blurred by how little (or how much) salience it has (S_D).

The paper blurs with SciPy on 8 bits, which truncates after each pass; `degrade_exact` is that arithmetic, bit for bit.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

LEVELS = 101
"""Values of v: 0.0, 0.1, ... 10.0."""
MAP_SIGMA = 5.0

Bytes = NDArray[np.uint8]

try:
    from worker.functional import _native as native
except ImportError:  # SciPy itself, then
    native = None  # type: ignore[assignment]


def sigma_of_levels(sigma_max: float, curve: int) -> NDArray[np.float64]:
    """(101,) pixels: sigma_max * ((10 - v) / 10) ** curve; the paper's (10 - v)^4 / 1000 is sigma_max 10, curve 4.

    In just this order, level by level: one bit of sigma moves pixels where SciPy truncates, and NumPy's power of an
    array depends on the processor.
    """
    divisor = 10.0**curve / sigma_max
    return np.array([(10 - level / 10) ** curve / divisor for level in range(LEVELS)])


def degradation_levels(maps: Tensor) -> Tensor:
    """The index 10 * v of every pixel.

    ``maps`` (N, S, S) uint8 at input resolution -> (N, S, S) uint8 in 0..100: Gaussian sigma 5 on 8 bits, scaled so
    that the map's maximum is 10, rounded to one decimal. A map that is zero everywhere has level 0 everywhere.
    """
    if len(maps) == 0:
        return maps.clone()
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return torch.from_numpy(np.stack(list(pool.map(_levels, maps.cpu().numpy())))).to(maps.device)


def _levels(single: Bytes) -> Bytes:
    blurred = gaussian_filter(single, MAP_SIGMA)
    peak = max(int(blurred.max()), 1)
    return np.round(np.round(blurred / peak * 10, 1) * 10).astype(np.uint8)


def degrade_exact(images: Tensor, directions: Sequence[Tensor], sigmas: NDArray[np.float64]) -> list[Tensor]:
    """Blur every pixel with the sigma of its level, channel by channel, in SciPy's arithmetic.

    ``images`` (N, 3, S, S) uint8; each of ``directions`` (N, S, S) uint8 levels; ``sigmas`` (101,). Returns one
    (N, 3, S, S) uint8 a direction. Images are shared out over threads.
    """
    degrade = partial(_degrade_by_scipy, sigmas) if native is None else partial(_degrade_natively, *kernels(sigmas))
    pixels = images.cpu().contiguous().numpy()
    levels = np.stack([direction.cpu().numpy() for direction in directions], 1)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        degraded = list(pool.map(degrade, pixels, levels))
    return list(torch.from_numpy(np.stack(degraded, 1)).to(images.device).unbind(0))


def kernels(sigmas: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """SciPy's Gaussian weights of every sigma, from the centre outwards (L, reach + 1), and their radii (L,)."""
    radii = (4.0 * sigmas + 0.5).astype(np.int32)
    weights = np.zeros((len(sigmas), int(radii.max()) + 1))
    weights[:, 0] = 1
    for row, sigma, radius in zip(weights, sigmas, radii, strict=True):
        if radius:
            places = np.arange(-radius, radius + 1)
            bell = np.exp(-0.5 / (sigma * sigma) * places**2)
            row[: radius + 1] = (bell / bell.sum())[radius:]
    return weights, radii


def _degrade_natively(weights: NDArray[np.float64], radii: NDArray[np.int32], image: Bytes, levels: Bytes) -> Bytes:
    """(3, S, S) and (D, S, S) -> (D, 3, S, S), in `worker/functional/_native.c`."""
    out = np.empty((len(levels), *image.shape), np.uint8)
    for direction, chosen in zip(out, levels, strict=True):
        native.degrade(image, chosen, weights, radii, direction, *image.shape[1:])
    return out


def _degrade_by_scipy(sigmas: NDArray[np.float64], image: Bytes, levels: Bytes) -> Bytes:
    """The same by its definition: a level's blurred image is made once for all directions."""
    out = np.empty((len(levels), *image.shape), np.uint8)
    for level in np.unique(levels):
        sigma = float(sigmas[level])
        # Below an eighth SciPy's kernel is a single pixel of weight 1.
        blurred = image if sigma < 0.125 else gaussian_filter(image, (0, sigma, sigma))
        for direction, chosen in zip(out, levels == level, strict=True):
            direction[:, chosen] = blurred[:, chosen]
    return out
