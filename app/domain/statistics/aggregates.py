"""From scores per sample to summaries: pure functions of numpy arrays, undefined scores are NaN.

Everything is computed over samples in their stored order; means use exactly rounded sums (``math.fsum``), so that
neither shards nor workers can move the last digit.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
Integers = NDArray[np.int64]
HISTOGRAM_BINS = 20


def mean(values: Floats) -> float | None:
    """Arithmetic mean of the defined values, exactly rounded; None where there is none."""
    defined = values[~np.isnan(values)]
    return math.fsum(defined.tolist()) / defined.size if defined.size else None


def weighted_mean(values: Floats, weights: Floats) -> float | None:
    """Mean of the defined values under weights (N,) >= 0."""
    defined = ~np.isnan(values)
    known, weight = values[defined], weights[defined]
    if known.size and (weight == 1).all():
        return math.fsum(known.tolist()) / known.size
    total = math.fsum(weight.tolist())
    return math.fsum((known * weight).tolist()) / total if total else None


def weighted_moments(values: Floats, weights: Floats) -> tuple[float | None, float | None]:
    """Mean and population standard deviation of the defined values under weights."""
    centre = weighted_mean(values, weights)
    variance = None if centre is None else weighted_mean((values - centre) ** 2, weights)
    return centre, None if variance is None else math.sqrt(variance)


def weighted_quantiles(values: Floats, weights: Floats, shares: Sequence[float]) -> list[float | None]:
    """Linear-interpolation quantiles (numpy's default, Hyndman and Fan's type 7), generalised to weights."""
    defined = ~np.isnan(values) & (weights > 0)
    if not defined.any():
        return [None] * len(shares)
    ordered, weight = _sorted(values[defined], weights[defined])
    before = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    places = np.arange(ordered.size) * weight + (ordered.size - 1) * before
    found: list[float | None] = np.interp(np.array(shares) * places[-1], places, ordered).tolist()
    return found


def _sorted(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Ascending, with their weights; where all weigh the same their order need not be known, and that is faster."""
    if (weights == weights[0]).all():
        return np.sort(values), weights
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]


def equal_group_weights(groups: Integers, values: Floats) -> Floats:
    """Weights that give every group with a defined value the same total: the macro average over sources.

    ``groups`` (N,) are indices >= 0. Undefined values get weight 0.
    """
    defined = ~np.isnan(values)
    sizes = np.bincount(groups[defined], minlength=int(groups.max(initial=0)) + 1)
    return np.where(defined, 1.0 / np.maximum(sizes[groups], 1), 0.0)


def sums_by_cluster(rows: Floats, clusters: Integers) -> Floats:
    """(C, V): rows (N, V) added up by the codes (N,) of their clusters, in the order of the codes that there are."""
    names, codes = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, codes, rows)
    return sums


def histogram(values: Floats, low: float, high: float) -> list[int]:
    """Counts of the defined values in 20 equal bins over [low, high], the last one closed; what lies beyond an end is
    counted there."""
    defined = np.clip(values[~np.isnan(values)], low, high)
    return [int(count) for count in np.histogram(defined, HISTOGRAM_BINS, (low, high))[0]]


def area_under_curve(amounts: Floats, means: Floats) -> float | None:
    """Trapezoidal mean height of a curve over its range of amounts; None under two points or where one is NaN."""
    if amounts.size < 2 or np.isnan(means).any():
        return None
    return float(np.trapezoid(means, amounts) / (amounts[-1] - amounts[0]))
