"""The least work that turns one map's shares into another's, without torch."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from worker.functional.native import native, share_out

Floats = NDArray[np.float64]


def least_works(first: Floats, second: Floats) -> Floats:
    """(N,): the least sum of flow times distance that turns ``first`` into ``second`` (N, h, w), whose sums are alike;
    distances over the grid's diagonal.

    Exact where `worker/functional/native_src/transport.c` is compiled; OpenCV, in float32, comes within 1e-6.
    """
    costs, surplus = _distances(*first.shape[1:]), (first - second).reshape(len(first), -1)
    solve = getattr(native, "least_work", None)  # one that was compiled for an older version has none
    if solve is None:
        return np.array([_by_opencv(one, costs.astype(np.float32)) for one in surplus], np.float64)
    found = np.empty(len(first))
    share_out(lambda part: solve(surplus[part], costs, found[part], surplus.shape[1]), len(first))
    return found


@lru_cache(maxsize=16)
def _distances(rows: int, columns: int) -> Floats:
    """(h * w, h * w)."""
    places = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1).reshape(-1, 2)
    found: Floats = np.linalg.norm(places[:, None] - places[None], axis=-1) / np.hypot(rows - 1, columns - 1)
    return found


def _by_opencv(surplus: Floats, costs: NDArray[np.float32]) -> float:
    """What both maps have in common stays, since distances obey the triangle: only the rest is moved."""
    import cv2  # noqa: PLC0415 - 15 MB that most workers never need

    above, below = np.flatnonzero(surplus > 0), np.flatnonzero(surplus < 0)
    moved = surplus[above].sum()
    if not above.size or not below.size:
        return 0.0
    leaving, coming = ((np.abs(surplus[places]) / moved).astype(np.float32)[:, None] for places in (above, below))
    cost = np.ascontiguousarray(costs[np.ix_(above, below)])
    work, _, _ = cv2.EMD(leaving, coming, cv2.DIST_USER, cost=cost)
    return float(moved * work)
