"""SSIM of stored maps without torch: what `worker.functional.ssim` gives, for the process that holds no network.

scikit-image's defaults (Wang et al. 2004): uniform 7 x 7 window, sample covariance, K1 0.01, K2 0.03, data range 255,
only windows inside the map. Sums of 8-bit values are integers and exact.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from worker.functional.ssim_constants import C1, C2, WINDOW

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Sums = NDArray[np.int32]
"""No window's sum leaves int32, nor a product of two."""

BLOCK = 2**14
"""Windows of one step of the formula, whose dozen arrays a core then keeps near."""


@dataclass(frozen=True)
class Windows:
    """What a comparison needs of one side: ``levels`` (N, H, W) uint8, and of every window, (N, H - 6, W - 6), the sums
    of x and of x * x."""

    levels: Bytes
    totals: Sums
    squares: Sums

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Self:
        return type(self)(self.levels[chosen], self.totals[chosen], self.squares[chosen])


def windows_of(maps: Bytes) -> Windows:
    """Raises ValueError under 7."""
    if min(maps.shape[1:]) < WINDOW:
        raise ValueError(f"maps of {maps.shape[1]} x {maps.shape[2]} hold no {WINDOW} x {WINDOW} window")
    wide = maps.astype(np.int32)
    return Windows(maps, _window_sums(wide), _window_sums(wide * wide))


def similarity_of_windows(first: Windows, second: Windows) -> Floats:
    """Mean SSIM of each pair: (N,) float64."""
    products = _window_sums(first.levels.astype(np.int32) * second.levels)
    local = np.empty(products.shape)
    rows = max(1, BLOCK // (len(products) * products.shape[2]))
    for start in range(0, products.shape[1], rows):
        part = np.s_[:, start : start + rows]
        squares = first.squares[part] + second.squares[part]
        local[part] = _formula(first.totals[part], second.totals[part], squares, products[part])
    similarity: Floats = local.mean((1, 2))
    return similarity


def _formula(x: Sums, y: Sums, squares: Sums, products: Sums) -> Floats:
    """Of every window, from its sums."""
    cells = WINDOW * WINDOW
    spread = cells * (cells - 1)
    luminance = (2 * x * y / cells**2 + C1) / ((x * x + y * y) / cells**2 + C1)
    covariance = 2 * (cells * products - x * y) / spread + C2
    variance = (cells * squares - x * x - y * y) / spread + C2
    similarity: Floats = luminance * covariance / variance
    return similarity


def _window_sums(values: Sums) -> Sums:
    """(N, H, W) -> sums over all windows inside, (N, H - 6, W - 6), by doubling: 1, 2 and 4 neighbours make 7."""
    for axis in (2, 1):
        values = np.moveaxis(values, axis, 0)
        twos = values[:-1] + values[1:]
        fours = twos[:-2] + twos[2:]
        values = np.moveaxis(fours[:-3] + twos[4:-1] + values[6:], 0, axis)
    return values
