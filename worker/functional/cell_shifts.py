"""Shifts by whole cells of a map: what two maps of one scene both saw, and how far the salience moved."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class CellShift(NamedTuple):
    """Where the content went, in cells: to the right and down, negative to the left and up."""

    right: int
    down: int

    def fits(self, height: int, width: int) -> bool:
        """Whether any cell of a scene (height, width) is left inside."""
        return abs(self.right) < width and abs(self.down) < height


def cells_in_both(shift: CellShift, height: int, width: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns of the clean map, then of the shifted image's map, that show the same part of the scene.

    Shift right by k: clean columns 0 .. width - k - 1 against view columns k .. width - 1. Cells that replicate the
    border are in neither.
    """
    clean = (_kept(-shift.down, height), _kept(-shift.right, width))
    view = (_kept(shift.down, height), _kept(shift.right, width))
    return clean, view


def _kept(by: int, length: int) -> slice:
    return slice(max(by, 0), length + min(by, 0))


def shifted(maps: Floats, shift: CellShift) -> Floats:
    """Maps (N, H, W) whose content moved; cells that come free repeat the edge, as the images do."""
    rows = np.clip(np.arange(maps.shape[1]) - shift.down, 0, maps.shape[1] - 1)
    columns = np.clip(np.arange(maps.shape[2]) - shift.right, 0, maps.shape[2] - 1)
    return maps[:, rows[:, None], columns[None, :]]


def centre_of_mass(maps: Floats) -> Floats:
    """(row, column) of each map's centre of mass, in cells from the first: ``maps`` (N, H, W) >= 0 -> (N, 2) float64.

    NaN where a map is zero everywhere.
    """
    cells = maps.astype(np.float64)
    total = cells.sum((1, 2))
    safe = np.where(total > 0, total, np.nan)
    down = (cells.sum(2) * np.arange(cells.shape[1])).sum(1) / safe
    right = (cells.sum(1) * np.arange(cells.shape[2])).sum(1) / safe
    return np.stack([down, right], 1)


class Slope(NamedTuple):
    """Sums of a regression through the origin, a row a sample: (N,) of x * y and of x * x, zero where undefined.

    Sums over any group of samples give that group's slope, sum(xy) / sum(xx).
    """

    products: Floats
    squares: Floats


def centre_displacements(clean: Floats, view: Floats, shift: CellShift) -> Slope:
    """How far the view map's centre of mass moved (y) against how far the clean map's would, had it followed (x).

    ``clean`` and ``view`` (N, H, W) >= 0. x is the displacement of the clean map that is shifted with a replicated
    border, so that the border's loss of mass counts on both sides. Only the axis of the shift counts.
    """
    axis = 0 if shift.down else 1
    start = centre_of_mass(clean)[:, axis]
    moved = centre_of_mass(shifted(clean, shift))[:, axis] - start
    found = centre_of_mass(view)[:, axis] - start
    known = ~np.isnan(moved) & ~np.isnan(found)
    return Slope(np.where(known, moved * found, 0.0), np.where(known, moved * moved, 0.0))
