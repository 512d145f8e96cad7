"""Outlines, drawn as masks.

A pixel is in where its middle is within the outline, or on it; coordinates are those of COCO and LabelMe: the first
pixel reaches from 0 to 1. Which pixels those are is what scikit-image's ``polygon`` says, to the last of them, by the
same arithmetic (O'Rourke 1998, Computational Geometry in C, chapter 7). It asks every pixel about every edge; here an
edge is asked about the one pixel of a row that it passes.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from skimage.draw import ellipse

from worker.map_files.masks import Mask, Places

Numbers = NDArray[np.float64]
Points = Numbers
"""(P, 2), x and y."""

FARTHEST = 1e9
"""Of a coordinate, in pixels: what is farther cannot be told from its neighbours where its edge passes a row."""
NEAR = 1e-12
"""Of a pixel's middle: a corner there is on it."""
CROSSINGS = 2**20
"""Of edges and rows, in memory at once."""


def fill_outline(mask: Mask, points: Points) -> None:
    """Of a polygon that crosses itself what an odd number of its edges surrounds. Raises ValueError where a point is
    far from every image."""
    if len(points) < 3:
        return
    x, y = points.T - 0.5
    if not ((np.abs(x) <= FARTHEST) & (np.abs(y) <= FARTHEST)).all():
        raise ValueError(f"an outline with a point that is not within {FARTHEST:g} pixels")
    _fill_corners(mask, x, y)
    edges = _Edges.of(x, y)
    rows = max(1, CROSSINGS // len(x))
    for top in range(_within(np.floor(y.min()), mask.shape[0]), _within(np.ceil(y.max()) + 1, mask.shape[0]), rows):
        for begins, ends in edges.spans(mask.shape, top, min(top + rows, mask.shape[0]) - 1):
            mask.add_across(begins, ends)


def fill_rectangle(mask: Mask, points: Points) -> None:
    """Of two opposite corners."""
    (left, top), (right, bottom) = points
    fill_outline(mask, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))


def fill_circle(mask: Mask, points: Points) -> None:
    """Of its middle and a point on it."""
    (x, y), (on_x, on_y) = points
    radius = float(np.hypot(on_x - x, on_y - y))
    if radius > 0:
        rows, columns = ellipse(y - 0.5, x - 0.5, radius, radius, shape=mask.shape)
        places = rows * mask.shape[1] + columns
        mask.add_across(places, places + 1)


class _Edges(NamedTuple):
    """Of an outline, each from the corner (``x1``, ``y1``) to (``x0``, ``y0``)."""

    x0: Numbers
    y0: Numbers
    x1: Numbers
    y1: Numbers

    @classmethod
    def of(cls, x: Numbers, y: Numbers) -> Self:
        return cls(x, y, np.roll(x, 1), np.roll(y, 1))

    def spans(self, shape: tuple[int, int], top: int, bottom: int) -> Iterator[tuple[Places, Places]]:
        """Pixels [begin, end) of these rows, whose middles an odd number of edges has on its left, then on its right.

        They differ in pixels on the outline alone, which are in where either has them.
        """
        low, high = np.minimum(self.y0, self.y1), np.maximum(self.y0, self.y1)
        for first, last, is_left in (
            (np.ceil(low), np.ceil(high) - 1, True),
            (np.floor(low) + 1, np.floor(high), False),
        ):
            rows, columns, beyond = self._crossings(np.maximum(first, top), np.minimum(last, bottom))
            starts = columns + (beyond > 0 if is_left else beyond >= 0)
            places = np.sort(rows * shape[1] + np.clip(starts, 0, shape[1])).astype(np.int64)
            yield places[::2], places[1::2]

    def _crossings(self, first: Numbers, last: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Of each edge with its rows: the row, the pixel that the edge passes there nearest to its middle, and by how
        much the edge is on the right of that middle."""
        counts = np.maximum(last - first + 1, 0).astype(np.int64)
        edge = np.repeat(np.arange(len(counts)), counts)
        rows = first[edge] + (np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts))
        x0, y0, x1, y1 = self.x0[edge], self.y0[edge] - rows, self.x1[edge], self.y1[edge] - rows
        columns = np.rint((x0 * y1 - x1 * y0) / (y1 - y0))
        return rows, columns, ((x0 - columns) * y1 - (x1 - columns) * y0) / (y1 - y0)


def _fill_corners(mask: Mask, x: Numbers, y: Numbers) -> None:
    """Those on the middle of a pixel."""
    columns, rows = np.rint(x), np.rint(y)
    on = (np.abs(x - columns) < NEAR) & (np.abs(y - rows) < NEAR)
    on &= (columns >= 0) & (columns < mask.shape[1]) & (rows >= 0) & (rows < mask.shape[0])
    places = (rows[on] * mask.shape[1] + columns[on]).astype(np.int64)
    mask.add_across(places, places + 1)


def _within(row: float, height: int) -> int:
    return int(min(max(row, 0), height))
