"""How well a map tells where people looked (Bylinskii et al. 2019, arXiv 1604.03605).

Every function takes one map (h, w) and ``points`` (F, 2), x and y as shares of width and height, and compares at the
map's own cells. NaN where the map is constant or there is no point.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Points = NDArray[np.float64]


def standardised_salience(values: Map, points: Points) -> float:
    """NSS: the mean over the fixations of (value - mean) / standard deviation; the deviation is the population's."""
    cells = values.astype(np.float64)
    if not len(points) or cells.max() == cells.min():
        return np.nan
    return float(((cells[_cells_of(points, cells.shape)] - cells.mean()) / cells.std()).mean())


def area_under_roc(values: Map, points: Points) -> float:
    """AUC-Judd: the chance that a fixation's cell has a higher value than a cell without any; equal ones count half.

    Every fixation counts, also where several lie in one cell. NaN as well where every cell has one.
    """
    cells = values.astype(np.float64)
    rows, columns = _cells_of(points, cells.shape)
    others = np.ones(cells.shape, bool)
    others[rows, columns] = False
    if not len(points) or not others.any() or cells.max() == cells.min():
        return np.nan
    negatives, hits = np.sort(cells[others]), cells[rows, columns]
    below, up_to = (np.searchsorted(negatives, hits, side) for side in ("left", "right"))
    return float(((below + up_to) / 2 / negatives.size).mean())


def within(points: Points, frame: tuple[float, float, float, float]) -> Points:
    """Those that lie within a part of the image (left, top, right, bottom, as shares of it), as shares of the part."""
    left, top, right, bottom = frame
    inside: Points = (points - (left, top)) / (right - left, bottom - top)
    return inside[((inside >= 0) & (inside < 1)).all(1)]


def _cells_of(points: Points, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns."""
    places = np.floor(points[:, ::-1] * shape).astype(np.int64)
    rows, columns = np.clip(places, 0, np.array(shape) - 1).T
    return rows, columns


OF_FIXATIONS: dict[str, Callable[[Map, Points], float]] = {"nss": standardised_salience, "auc_judd": area_under_roc}
"""By the names of app.domain.maps.similarities."""
