"""From scores per sample to summaries: pure functions of numpy arrays, undefined scores are NaN.

Everything is computed over samples in their stored order; means use exactly rounded sums (``math.fsum``), so that
neither shards nor workers can move the last digit.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
Integers = NDArray[np.int64]

BOOTSTRAP_RESAMPLES = 1000
HISTOGRAM_BINS = 20
# A thousand samples fill it: larger data sets take no more memory for a chunk.
_CHUNK_DRAWS = 1_000_000


@dataclass(frozen=True)
class Resampled:
    """Means (R, V) of V columns over R bootstrap resamples.

    ``varies`` (V,) is false where no unit that is resampled on its own has two defined samples (clusters, where these
    are drawn). They can only be drawn again or be left out then, so that the means tell nothing of other samples.
    """

    means: Floats
    varies: Masks


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


def resampled_counts(size: int, seed: int) -> Iterator[Floats]:
    """How often each of ``size`` samples was drawn in each bootstrap resample, in chunks (R, size)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = max(1, min(BOOTSTRAP_RESAMPLES, _CHUNK_DRAWS // max(size, 1)))
    for start in range(0, BOOTSTRAP_RESAMPLES, rows):
        draws = generator.integers(0, size, (min(rows, BOOTSTRAP_RESAMPLES - start), size))
        yield _counted(draws) if size > _LONG else _counted_at_once(draws)


_LONG = 1_000
"""Samples of which a resample's counts are better made on their own, where they stay near the processor."""


def _counted(draws: Integers) -> Floats:
    """(R, N): how often each of 0 .. N - 1 stands in each row."""
    counts = np.empty(draws.shape)
    for own, row in zip(counts, draws, strict=True):
        own[:] = np.bincount(row, minlength=len(row))
    return counts


def _counted_at_once(draws: Integers) -> Floats:
    """The same where rows are short."""
    rows, size = draws.shape
    draws += np.arange(rows)[:, None] * size
    counts: Floats = np.bincount(draws.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)
    return counts


def bootstrap_means(columns: Floats, seed: int) -> Floats:
    """Means of every column over bootstrap resamples of the rows (Efron 1979): (N, V) -> (R, V).

    All columns see the same resamples. NaN cells are left out of their mean; a resample without any gives NaN.
    """
    return _means_of_cells([_cells(columns, None)], seed)[0]


def _cells(block: Floats, clusters: Integers | None) -> tuple[Floats, Floats]:
    """What is drawn together, added up: the defined scores of (N, V) and how many they are, (N, V) each, or (C, V)
    where rows of one cluster are drawn together."""
    filled, defined = np.nan_to_num(block, nan=0.0), (~np.isnan(block)).astype(np.float64)
    if clusters is None:
        return filled, defined
    return sums_by_cluster(filled, clusters), sums_by_cluster(defined, clusters)


def sums_by_cluster(rows: Floats, clusters: Integers) -> Floats:
    """(C, V): rows (N, V) added up by the codes (N,) of their clusters, in the order of the codes that there are."""
    names, codes = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, codes, rows)
    return sums


def _means_of_cells(cells: Sequence[tuple[Floats, Floats]], seed: int) -> list[Floats]:
    """Of several blocks of the same rows: to draw costs far more than to add up.

    Each block is a product of its own: the last bits of one must not depend on how many columns stand beside it. How
    many were drawn are whole numbers, the same for all columns that are defined alike.
    """
    parts: list[list[Floats]] = [[] for _ in cells]
    alike = [_alike(defined) for _, defined in cells]
    with np.errstate(invalid="ignore", divide="ignore"):
        for counts in resampled_counts(len(cells[0][0]), seed):
            for part, (filled, _), (defined, places) in zip(parts, cells, alike, strict=True):
                part.append((counts @ filled) / (counts @ defined)[:, places])
    return [np.concatenate(part) for part in parts]


def _alike(columns: Floats) -> tuple[Floats, Integers]:
    """The different ones among columns (N, V), and of every column its place among them (V,)."""
    places: dict[bytes, int] = {}
    own = [places.setdefault(column.tobytes(), len(places)) for column in columns.T]
    first = [own.index(place) for place in range(len(places))]
    return columns[:, first], np.array(own, dtype=np.int64)


def bootstrap(columns: Floats, seed: int, clusters: Integers | None = None) -> Resampled:
    """All rows of (N, V) are one unit. Rows with one code in ``clusters`` (N,) are drawn together (Davison and Hinkley
    1997, 3.8): a mean is that of all samples in the clusters that were drawn."""
    return bootstrap_blocks([columns], seed, clusters)[0]


def bootstrap_blocks(blocks: Iterable[Floats], seed: int, clusters: Integers | None = None) -> list[Resampled]:
    """The same for several (N, V) of the same rows, by the same resamples."""
    cells = [_cells(block, clusters) for block in blocks]
    means = _means_of_cells(cells, seed)
    varies = [(defined > 0).sum(axis=0) > 1 for _, defined in cells]
    return [Resampled(*pair) for pair in zip(means, varies, strict=True)]


def percentile_interval(resampled: Resampled) -> tuple[list[float | None], list[float | None]]:
    """The 2.5% and 97.5% quantiles of each column; None where nothing varies, since certainty would be a lie."""
    lows: list[float | None] = []
    highs: list[float | None] = []
    for column, varies in zip(resampled.means.T, resampled.varies, strict=True):
        defined = column[~np.isnan(column) & varies]
        low, high = np.quantile(defined, [0.025, 0.975]).tolist() if defined.size else (None, None)
        lows.append(low)
        highs.append(high)
    return lows, highs


def histogram(values: Floats, low: float, high: float) -> list[int]:
    """Counts of the defined values in 20 equal bins over [low, high], the last one closed; what lies beyond an end is
    counted there."""
    defined = np.clip(values[~np.isnan(values)], low, high)
    return [int(count) for count in np.histogram(defined, HISTOGRAM_BINS, (low, high))[0]]


def roc_curve(scores: Floats, positives: Masks) -> tuple[Floats, Floats, Floats]:
    """False and true positive rates and thresholds, descending; collinear points are left out (Fawcett 2006).

    The first point is (0, 0) with an infinite threshold, as in scikit-learn. Needs at least one sample of each kind.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], positives[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), ordered.size - 1)
    true, false = np.cumsum(hits)[last], (last + 1) - np.cumsum(hits)[last]
    corners = np.ones(true.size, dtype=bool)
    corners[1:-1] = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
    thresholds = np.append(np.inf, ordered[last][corners])
    return _rates(false, corners), _rates(true, corners), thresholds


def _rates(counts: Integers, corners: Masks) -> Floats:
    """From (0, 0), the share of all that were counted."""
    rates: Floats = np.append(0, counts[corners]) / max(counts[-1], 1)
    return rates


def auroc(scores: Floats, positives: Masks) -> float | None:
    """Area under the ROC curve, ties counted half (Mann-Whitney); None unless both kinds occur."""
    defined = ~np.isnan(scores)
    scores, positives = scores[defined], positives[defined]
    if not positives.any() or positives.all():
        return None
    false, true, _ = roc_curve(scores, positives)
    return float(np.trapezoid(true, false))


def area_under_curve(amounts: Floats, means: Floats) -> float | None:
    """Trapezoidal mean height of a curve over its range of amounts; None under two points or where one is NaN."""
    if amounts.size < 2 or np.isnan(means).any():
        return None
    return float(np.trapezoid(means, amounts) / (amounts[-1] - amounts[0]))
