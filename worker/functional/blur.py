"""Salience-guided degradation: every pixel blurred by how little (or how much) salience it has (S_D).

The paper blurs with SciPy on 8 bits, which truncates after each pass; `degrade_exact` is that arithmetic, bit for bit.
"""

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from worker.functional.native import native, share_out

LEVELS = 101
"""Values of v: 0.0, 0.1, ... 10.0."""
MAP_SIGMA = 5.0

Bytes = NDArray[np.uint8]


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
    everywhere = torch.zeros_like(maps)
    (blurred,) = degrade_exact(maps.unsqueeze(1), [everywhere], np.array([MAP_SIGMA]))
    pixels = blurred.squeeze(1).cpu().numpy()
    levels = np.empty_like(pixels)
    for out, image in zip(levels, pixels, strict=True):
        row = _levels_of_pixels(int(image.max()))
        out[:] = np.frombuffer(image.tobytes().translate(row), np.uint8).reshape(image.shape)
    return torch.from_numpy(levels).to(maps.device)


@lru_cache(maxsize=256)
def _levels_of_pixels(peak: int) -> bytes:
    """The level of each of the 256 values in a map with this maximum."""
    scaled = np.arange(256) / max(peak, 1) * 10
    return np.round(np.round(scaled, 1) * 10).clip(0, LEVELS - 1).astype(np.uint8).tobytes()


def degrade_exact(images: Tensor, directions: Sequence[Tensor], sigmas: NDArray[np.float64]) -> list[Tensor]:
    """Blur every pixel with the sigma of its level, channel by channel, in SciPy's arithmetic.

    ``images`` (N, C, S, S) uint8; each of ``directions`` (N, S, S) uint8 levels; ``sigmas`` (L,). Returns one
    (N, C, S, S) uint8 a direction. Images are shared out over threads.
    """
    degrade = partial(_degrade_by_scipy, sigmas) if native is None else partial(_degrade_natively, *kernels(sigmas))
    pixels = images.cpu().contiguous().numpy()
    levels = torch.stack(list(directions), 1).cpu().numpy()
    degraded = np.empty((len(pixels), len(directions), *pixels.shape[1:]), np.uint8)

    def work(part: slice) -> None:
        for image, chosen, out in zip(pixels[part], levels[part], degraded[part], strict=True):
            degrade(image, chosen, out)

    share_out(work, len(pixels))
    return list(torch.from_numpy(degraded).to(images.device).unbind(1))


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


def _degrade_natively(
    weights: NDArray[np.float64], radii: NDArray[np.int32], image: Bytes, levels: Bytes, out: Bytes
) -> None:
    """(C, S, S) and (D, S, S) into (D, C, S, S), in `worker/functional/native_src/degrade.c`."""
    native.degrade(image, levels, weights, radii, out, *image.shape[1:])


def _degrade_by_scipy(sigmas: NDArray[np.float64], image: Bytes, levels: Bytes, out: Bytes) -> None:
    """The same by its definition: a level's blurred image is made once for all directions."""
    for level in np.unique(levels):
        sigma = float(sigmas[level])
        # Below an eighth SciPy's kernel is a single pixel of weight 1.
        blurred = image if sigma < 0.125 else gaussian_filter(image, (0, sigma, sigma))
        np.copyto(out, blurred, where=(levels == level)[:, None])
