"""SSIM of stored maps without torch: what `worker.functional.ssim` gives, for the process that holds no network.

scikit-image's defaults (Wang et al. 2004): uniform 7 x 7 window, sample covariance, K1 0.01, K2 0.03, data range 255,
only windows inside the map. Sums of 8-bit values are integers and exact.
"""

import numpy as np
from numpy.typing import NDArray

from worker.functional.ssim_constants import C1, C2, WINDOW

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


def map_similarity(first: Bytes, second: Bytes) -> Floats:
    """Mean SSIM of each pair: ``first`` and ``second`` (N, H, W) uint8 -> (N,) float64. Raises ValueError under 7."""
    if first.shape != second.shape or min(first.shape[1:]) < WINDOW:
        raise ValueError(f"maps of shapes {first.shape} and {second.shape} cannot be compared")
    one, other = first.astype(np.int64), second.astype(np.int64)
    x, y = _window_sums(one), _window_sums(other)
    squares, products = _window_sums(one * one + other * other), _window_sums(one * other)
    cells = WINDOW * WINDOW
    luminance = (2 * x * y / cells**2 + C1) / ((x * x + y * y) / cells**2 + C1)
    spread = cells * (cells - 1)
    covariance = 2 * (cells * products - x * y) / spread + C2
    variance = (cells * squares - x * x - y * y) / spread + C2
    similarity: Floats = (luminance * covariance / variance).mean((1, 2))
    return similarity


def _window_sums(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, H, W) -> sums over all windows inside, (N, H - 6, W - 6)."""
    for axis in (1, 2):
        if values.shape[axis] == WINDOW:
            values = values.sum(axis, keepdims=True)
        else:
            sums = np.cumsum(values, axis)
            before = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
            stop = before.shape[axis]
            values = before.take(range(WINDOW, stop), axis) - before.take(range(stop - WINDOW), axis)
    return values
