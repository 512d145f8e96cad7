"""Similarities of stored maps, without torch: what saliency benchmarks compare maps by (Bylinskii et al. 2019,
arXiv 1604.03605).

Each takes ``first`` and ``second`` (N, h, w) float32 in [0, 1] of one size and returns (N,) float64, NaN where a map is
constant, so that it has no salience to compare. What it needs of one map alone it can prepare once for many others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.functional.map_similarity import similarity_of_windows, windows_of
from worker.functional.ranks import ranks_of
from worker.functional.transport import least_works

Maps = NDArray[np.float32]
Floats = NDArray[np.float64]
Defined = NDArray[np.bool_]

TOP_SHARE = 0.2
KL_EPSILON = 1e-12
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class MapSimilarity:
    """``prepare`` makes of N maps what they bring to any comparison, ``combine`` of two such sides N numbers; the same
    to the last bit with the sides exchanged where it is ``symmetric``."""

    prepare: Callable[[Maps], Any]
    combine: Callable[[Any, Any], Floats]
    symmetric: bool = True

    def __call__(self, first: Maps, second: Maps) -> Floats:
        """Raises ValueError where the two differ in size, or are smaller than the similarity can be of."""
        if first.shape != second.shape:
            raise ValueError(f"maps of shapes {first.shape} and {second.shape} cannot be compared")
        return self.of_prepared(self.prepare(first), self.prepare(second), varies(first) & varies(second))

    def of_prepared(self, first: Any, second: Any, defined: Defined) -> Floats:
        """Of two prepared sides, where both are ``defined`` (N,)."""
        if defined.all():
            return self.combine(first, second)
        scores = np.full(len(defined), np.nan)
        if defined.any():
            scores[defined] = self.combine(first[defined], second[defined])
        return scores


def varies(maps: Maps) -> Defined:
    """(N,) whether the map is not constant."""
    cells = maps.reshape(len(maps), -1)
    found: Defined = cells.max(1) > cells.min(1)
    return found


def resampled(maps: Maps, size: tuple[int, int], part: tuple[float, float, float, float] = WHOLE) -> Maps:
    """(N, h, w) by area to a ``size`` (rows, columns) that is no larger: each cell the mean of what it covers.

    ``part`` is what becomes of it: left, top, right and bottom as shares; what lies beside the map is 0.
    """
    if maps.shape[1:] == size and part == WHOLE:
        return maps
    left, top, right, bottom = part
    down = _overlaps(maps.shape[1], size[0], top, bottom)
    across = _overlaps(maps.shape[2], size[1], left, right)
    smaller: Maps = (down @ maps.astype(np.float64) @ across.T).astype(np.float32)
    return smaller


def smallest(sizes: Iterable[tuple[int, ...]]) -> tuple[int, int]:
    """The least rows and the least columns of them."""
    rows, columns = zip(*sizes, strict=True)
    return min(rows), min(columns)


def _overlaps(count: int, wanted: int, low: float, high: float) -> Floats:
    """(wanted, count): the part of each cell's length that lies in each of the larger ones, over their length."""
    edges = low * count + np.arange(wanted + 1) * (high - low) * count / wanted
    first = np.maximum(edges[:-1, None], np.arange(count))
    last = np.minimum(edges[1:, None], np.arange(1, count + 1))
    found: Floats = np.clip(last - first, 0, None) * wanted / (count * (high - low))
    return found


def _cells(maps: Maps) -> Floats:
    return maps.reshape(len(maps), -1).astype(np.float64)


def _eight_bit(maps: Maps) -> Any:
    # The product is float32, as where maps become 8-bit.
    return windows_of((maps.astype(np.float32) * np.float32(255)).astype(np.uint8))


def _centred(maps: Maps) -> Floats:
    return _less_mean(_cells(maps))


def _less_mean(cells: Floats) -> Floats:
    found: Floats = cells - cells.mean(1, keepdims=True)
    return found


def _centred_ranks(maps: Maps) -> Floats:
    return _less_mean(ranks_of(maps.reshape(len(maps), -1)))


def _pearson(one: Floats, other: Floats) -> Floats:
    found: Floats = (one * other).sum(1) / np.sqrt((one * one).sum(1) * (other * other).sum(1))
    return found


def _shares(maps: Maps) -> Floats:
    cells = _cells(maps)
    with np.errstate(invalid="ignore"):  # of a map that is zero all over, which is not compared
        found: Floats = cells / cells.sum(1, keepdims=True)
    return found


def _smaller_shares(p: Floats, q: Floats) -> Floats:
    found: Floats = np.minimum(p, q).sum(1)
    return found


def _top(maps: Maps) -> NDArray[np.bool_]:
    cells = maps.reshape(len(maps), -1)
    count = max(1, round(TOP_SHARE * cells.shape[1]))
    lowest = np.partition(cells, -count, axis=1)[:, -count, None]
    return (cells >= lowest) & (cells > 0)


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> Floats:
    found: Floats = (one & other).sum(1) / (one | other).sum(1)
    return found


def _kl(p: Floats, q: Floats) -> Floats:
    found: Floats = (q * np.log(q / (p + KL_EPSILON) + KL_EPSILON)).sum(1)
    return found


def _highest_and_top(maps: Maps) -> NDArray[np.bool_]:
    """(N, 2, h * w)."""
    cells = maps.reshape(len(maps), -1)
    return np.stack([cells == cells.max(1, keepdims=True), _top(maps)], axis=1)


def _hits(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    highest = first[:, 0]
    found: Floats = (highest & second[:, 1]).sum(1) / highest.sum(1)
    return found


def _shares_by_place(maps: Maps) -> Floats:
    """(N, h, w)."""
    return _shares(maps).reshape(maps.shape)


ssim = MapSimilarity(_eight_bit, similarity_of_windows)
"""Of the 8-bit maps, as the measures compare them. Raises ValueError under 7 cells."""
correlation = MapSimilarity(_centred, _pearson)
"""CC: Pearson over the cells."""
rank_correlation = MapSimilarity(_centred_ranks, _pearson)
"""Spearman: Pearson of ranks; cells of one value share the mean of theirs."""
shared_mass = MapSimilarity(_shares, _smaller_shares)
"""SIM: sum(min(p, q)) with p, q = map / sum(map)."""
earth_movers_distance = MapSimilarity(_shares_by_place, least_works, symmetric=False)
"""EMD: the least sum of flow times distance that turns p into q, distances over the grid's diagonal."""
top_overlap = MapSimilarity(_top, _iou)
"""IoU of each map's top 20% of cells. Cells as high as the last of them are in, those that are zero out."""
divergence = MapSimilarity(_shares, _kl, symmetric=False)
"""KL: sum(q log(q / (p + e) + e)), p and q the shares of the first and the second map, e = 1e-12: how badly the first
one tells where the second one lies."""
pointing = MapSimilarity(_highest_and_top, _hits, symmetric=False)
"""Whether the first map's highest cell is among the second one's top 20%; of several highest cells, their share."""

OF_MAPS: dict[str, MapSimilarity] = {
    "ssim": ssim,
    "cc": correlation,
    "spearman": rank_correlation,
    "sim": shared_mass,
    "emd": earth_movers_distance,
    "iou": top_overlap,
    "kl": divergence,
    "pointing_game": pointing,
}
"""By the names of app.domain.maps.similarities."""
