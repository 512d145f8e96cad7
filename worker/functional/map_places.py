"""Where in the image a map lies."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def border_share(maps: Floats) -> Floats:
    """Share of each map's salience that lies in the outer ring of cells: (N, H, W) >= 0 -> (N,) float64 in [0, 1].

    NaN where a map is zero everywhere.
    """
    total = maps.astype(np.float64).sum((1, 2))
    inner = maps[:, 1:-1, 1:-1].astype(np.float64).sum((1, 2))
    return np.where(total > 0, (total - inner) / np.where(total > 0, total, 1.0), np.nan)


def border_area(height: int, width: int) -> float:
    """Share of the cells that are in the outer ring: 24 / 49 of a 7 x 7 map."""
    inner = max(height - 2, 0) * max(width - 2, 0)
    return 1 - inner / (height * width)


def entropy_of_places(maps: Floats) -> Floats:
    """Spatial entropy, 0 for one cell and 1 for all alike (`worker.functional.entropy.spatial_entropy`, in numpy)."""
    cells = maps.reshape(len(maps), maps.shape[1] * maps.shape[2]).astype(np.float64)
    total = cells.sum(1, keepdims=True)
    shares = np.divide(cells, total, out=np.full_like(cells, np.nan), where=total > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: Floats = -(shares * logs).sum(1) / np.log(cells.shape[1])
    return entropy
