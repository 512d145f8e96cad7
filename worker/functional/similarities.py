"""Similarities of stored maps, without torch: what saliency benchmarks compare maps by (Bylinskii et al. 2019,
arXiv 1604.03605).

Every function takes ``first`` and ``second`` (N, h, w) float in [0, 1] of one size and returns (N,) float64, NaN where
a map is constant, so that it has no salience to compare.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from worker.functional.map_similarity import map_similarity

Maps = NDArray[np.float32]
Floats = NDArray[np.float64]
Compare = Callable[[Maps, Maps], Floats]

TOP_SHARE = 0.2
KL_EPSILON = 1e-12
WHOLE = (0.0, 0.0, 1.0, 1.0)


def ssim(first: Maps, second: Maps) -> Floats:
    """Of the 8-bit maps, as the measures compare them. Raises ValueError under 7 cells."""
    return _where_defined(_ssim, first, second)


def correlation(first: Maps, second: Maps) -> Floats:
    """CC: Pearson over the cells."""
    return _where_defined(_pearson, first, second)


def rank_correlation(first: Maps, second: Maps) -> Floats:
    """Spearman: Pearson of ranks; cells of one value share the mean of theirs."""
    return _where_defined(_of_ranks, first, second)


def shared_mass(first: Maps, second: Maps) -> Floats:
    """SIM: sum(min(p, q)) with p, q = map / sum(map)."""
    return _where_defined(lambda p, q: np.minimum(_shares(p), _shares(q)).sum(1), first, second)


def top_overlap(first: Maps, second: Maps) -> Floats:
    """IoU of each map's top 20% of cells. Cells as high as the last of them are in, those that are zero out."""
    return _where_defined(_iou, first, second)


def earth_movers_distance(first: Maps, second: Maps) -> Floats:
    """EMD: the least sum of flow times distance that turns p into q, distances over the grid's diagonal."""
    rows, columns = first.shape[1:]
    places = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) / np.hypot(rows - 1, columns - 1)
    costs = apart.astype(np.float32)

    def distances(p: Floats, q: Floats) -> Floats:
        return np.array([_least_work(one, costs) for one in _shares(p) - _shares(q)], np.float64)

    return _where_defined(distances, first, second)


def divergence(first: Maps, second: Maps) -> Floats:
    """KL: sum(q log(q / (p + e) + e)), p and q the shares of the first and the second map, e = 1e-12: how badly the
    first one tells where the second one lies."""
    return _where_defined(_kl, first, second)


def pointing(first: Maps, second: Maps) -> Floats:
    """Whether the first map's highest cell is among the second one's top 20%; of several highest cells, their share."""
    return _where_defined(_hits, first, second)


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


def _overlaps(count: int, wanted: int, low: float, high: float) -> Floats:
    """(wanted, count): the part of each cell's length that lies in each of the larger ones, over their length."""
    edges = low * count + np.arange(wanted + 1) * (high - low) * count / wanted
    first = np.maximum(edges[:-1, None], np.arange(count))
    last = np.minimum(edges[1:, None], np.arange(1, count + 1))
    found: Floats = np.clip(last - first, 0, None) * wanted / (count * (high - low))
    return found


def _where_defined(compute: Callable[[Floats, Floats], Floats], first: Maps, second: Maps) -> Floats:
    """``compute`` gets (M, h * w), or for SSIM (M, h, w)."""
    if first.shape != second.shape:
        raise ValueError(f"maps of shapes {first.shape} and {second.shape} cannot be compared")
    flat = [maps.reshape(len(maps), -1) for maps in (first, second)]
    defined = np.logical_and(*(cells.max(1) > cells.min(1) for cells in flat))
    scores = np.full(len(first), np.nan)
    if defined.any():
        chosen = (first, second) if compute is _ssim else flat
        one, other = (maps[defined].astype(np.float64) for maps in chosen)
        scores[defined] = compute(one, other)
    return scores


def _ssim(first: Floats, second: Floats) -> Floats:
    # The product is float32, as where maps become 8-bit.
    one, other = ((maps.astype(np.float32) * np.float32(255)).astype(np.uint8) for maps in (first, second))
    return map_similarity(one, other)


def _pearson(first: Floats, second: Floats) -> Floats:
    one, other = (cells - cells.mean(1, keepdims=True) for cells in (first, second))
    found: Floats = (one * other).sum(1) / np.sqrt((one * one).sum(1) * (other * other).sum(1))
    return found


def _of_ranks(first: Floats, second: Floats) -> Floats:
    # SciPy's statistics take half a second to import, and most workers need none.
    from scipy.stats import rankdata  # noqa: PLC0415

    return _pearson(rankdata(first, axis=1), rankdata(second, axis=1))


def _shares(cells: Floats) -> Floats:
    found: Floats = cells / cells.sum(1, keepdims=True)
    return found


def _iou(first: Floats, second: Floats) -> Floats:
    one, other = (_top(cells) for cells in (first, second))
    found: Floats = (one & other).sum(1) / (one | other).sum(1)
    return found


def _top(cells: Floats) -> NDArray[np.bool_]:
    count = max(1, round(TOP_SHARE * cells.shape[1]))
    lowest = np.partition(cells, -count, axis=1)[:, -count, None]
    return (cells >= lowest) & (cells > 0)


def _kl(first: Floats, second: Floats) -> Floats:
    p, q = _shares(first), _shares(second)
    found: Floats = (q * np.log(q / (p + KL_EPSILON) + KL_EPSILON)).sum(1)
    return found


def _hits(first: Floats, second: Floats) -> Floats:
    highest = first == first.max(1, keepdims=True)
    found: Floats = (highest & _top(second)).sum(1) / highest.sum(1)
    return found


def _least_work(surplus: Floats, costs: NDArray[np.float32]) -> float:
    """What both maps have in common stays, since distances obey the triangle: only the rest is moved."""
    import cv2  # noqa: PLC0415 - 60 MB that most workers never need

    above, below = np.flatnonzero(surplus > 0), np.flatnonzero(surplus < 0)
    moved = surplus[above].sum()
    if not above.size or not below.size:
        return 0.0
    leaving, coming = ((np.abs(surplus[places]) / moved).astype(np.float32)[:, None] for places in (above, below))
    cost = np.ascontiguousarray(costs[np.ix_(above, below)])
    work, _, _ = cv2.EMD(leaving, coming, cv2.DIST_USER, cost=cost)
    return float(moved * work)


OF_MAPS: dict[str, Compare] = {
    "ssim": ssim,
    "cc": correlation,
    "spearman": rank_correlation,
    "sim": shared_mass,
    "emd": earth_movers_distance,
    "iou": top_overlap,
    "kl": divergence,
    "pointing_game": pointing,
}
"""By the names of app.domain.similarities."""
