"""How far a number would lie elsewhere with other samples: bootstrap resampling."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.statistics.aggregates import Floats, Integers, Masks, sums_by_cluster

BOOTSTRAP_RESAMPLES = 1000
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


def _cells(block: Floats, clusters: Integers | None) -> tuple[Floats, Floats]:
    """What is drawn together, added up: the defined scores of (N, V) and how many they are, (N, V) each, or (C, V)
    where rows of one cluster are drawn together."""
    filled, defined = np.nan_to_num(block, nan=0.0), (~np.isnan(block)).astype(np.float64)
    if clusters is None:
        return filled, defined
    return sums_by_cluster(filled, clusters), sums_by_cluster(defined, clusters)


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
                part.append((counts @ filled) / _drawn(counts, defined)[:, places])
    return [np.concatenate(part) for part in parts]


def _drawn(counts: Floats, defined: Floats) -> Floats:
    """(R, V): how many samples of (N, V) were drawn. Whole numbers: where all rows are alike nothing is added up, since
    as many are drawn as there are."""
    found = np.tile(len(defined) * defined[:1].sum(axis=0), (len(counts), 1))
    differ = (defined != defined[:1]).any(axis=0)
    found[:, differ] = counts @ defined[:, differ]
    return found


def _alike(columns: Floats) -> tuple[Floats, Integers]:
    """The different ones among columns (N, V), and of every column its place among them (V,)."""
    places: dict[bytes, int] = {}
    own = [places.setdefault(column.tobytes(), len(places)) for column in columns.T]
    first = [own.index(place) for place in range(len(places))]
    return columns[:, first], np.array(own, dtype=np.int64)


def bootstrap(columns: Floats, seed: int, clusters: Integers | None = None) -> Resampled:
    """Means of every column over bootstrap resamples of the rows (Efron 1979): (N, V) -> (R, V).

    All columns see the same resamples. NaN cells are left out of their mean; a resample without any gives NaN. All rows
    are one unit. Rows with one code in ``clusters`` (N,) are drawn together (Davison and Hinkley 1997, 3.8): a mean is
    that of all samples in the clusters that were drawn.
    """
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
