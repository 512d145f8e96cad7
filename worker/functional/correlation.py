"""Pearson's correlation of maps, the CC of salience benchmarks (Bylinskii et al. 2019, IEEE TPAMI 41, section 4.2)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of a constant row, in units of its largest value: what rounding leaves of the differences from its mean.
_ROUNDING = 1e-12


def correlation(first: Floats, second: Floats) -> Floats:
    """Pearson's r of each pair of rows, over all of their cells.

    ``first`` and ``second`` (N, ...) of one shape, any scale; sums are float64. Returns (N,) float64 in [-1, 1], NaN
    where either row is constant: it has no direction that another could go with.
    """
    if first.shape != second.shape:
        raise ValueError(f"maps of shapes {first.shape} and {second.shape} cannot be compared")
    one, other = _standardised(first), _standardised(second)
    r: Floats = np.clip((one * other).sum(1), -1.0, 1.0)
    return r


def _standardised(maps: Floats) -> Floats:
    """(N, cells) of mean 0 and length 1; NaN where a row is constant."""
    rows = maps.reshape(len(maps), -1).astype(np.float64)
    centred = rows - rows.mean(1, keepdims=True)
    length = np.sqrt((centred**2).sum(1, keepdims=True))
    varies = length > _ROUNDING * np.abs(rows).max(1, keepdims=True, initial=0.0)
    unit: Floats = np.divide(centred, length, out=np.full_like(centred, np.nan), where=varies)
    return unit


def correlation_with_others(maps: Floats) -> Floats:
    """How much each map is the mean of all others: the correlation with the mean that leaves it out.

    ``maps`` (N, H, W) with N >= 2. Returns (N,) float64; a data set whose maps are all one map gives 1, maps that have
    nothing to do with each other give about 0.
    """
    rows = maps.astype(np.float64)
    others = (rows.sum(0, keepdims=True) - rows) / (len(rows) - 1)
    return correlation(rows, others)
