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


def sigma_of_levels(sigma_max: float, curve: int) -> NDArray[np.float64]:
    """(101,) pixels: sigma_max * ((10 - v) / 10) ** curve; the paper's (10 - v)^4 / 1000 is sigma_max 10, curve 4."""
    remaining = np.arange(100, -1, -1) / 100
    return sigma_max * remaining**curve


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
    """Blur every pixel with the sigma of its level, channel by channel.

    ``images`` (N, 3, S, S) uint8; each of ``directions`` (N, S, S) uint8 levels; ``sigmas`` (101,). Returns one
    (N, 3, S, S) uint8 a direction. A level's blurred image is made once for all directions.
    """
    pixels = images.cpu().numpy()
    levels = np.stack([direction.cpu().numpy() for direction in directions], 1)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        degraded = list(pool.map(partial(_degrade, sigmas=sigmas), pixels, levels))
    stacked = torch.from_numpy(np.stack(degraded, 1)).to(images.device)
    return list(stacked.unbind(0))


def _degrade(image: Bytes, levels: NDArray[np.uint8], sigmas: NDArray[np.float64]) -> Bytes:
    """(3, S, S) and (D, S, S) -> (D, 3, S, S)."""
    out = np.empty((len(levels), *image.shape), np.uint8)
    for level in np.unique(levels):
        sigma = float(sigmas[level])
        blurred = gaussian_filter(image, (0, sigma, sigma))
        for direction, chosen in zip(out, levels == level, strict=True):
            direction[:, chosen] = blurred[:, chosen]
    return out
