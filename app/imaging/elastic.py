"""Elastic deformation (Simard et al. 2003): noise, smoothed, says how far each pixel moves.

The displacement is scaled so that between any two places it differs by at most a given share of what lies between
them. Under 1 the move is one to one: q + d(q) = p then has one solution q for each p, by Banach's fixed-point theorem.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from app.domain.models.input_size import Size

Field = NDArray[np.float64]

SMOOTHNESS = 4 / 29
"""The Gaussian's sigma, of the shorter side: Simard's 4 pixels of 29."""
_TRUNCATE = 3.0
_NEAR = 1e-3
"""Of a pixel: how exactly the way back is known."""


@dataclass(frozen=True)
class Displacement:
    """Content comes to p from p + ``field`` (2, H, W) at p: down and to the right, in pixels; straight between pixels,
    beyond the edge as on it. ``steepest`` is its largest gradient, under 1 (`largest_gradient`).
    """

    field: Field
    steepest: float

    @property
    def back(self) -> Field:
        """Row and column (2, H, W) of what came to each pixel."""
        return self._pixels + self.field

    @cached_property
    def there(self) -> Field:
        """Row and column (2, H, W) of where each pixel went: to within a thousandth of one.

        q = p - d(q), again and again; after a step at most its length times ``steepest / (1 - steepest)`` is missing.
        """
        pixels, between = self._pixels.reshape(2, -1), _between_pixels(self.field)
        found, moving = pixels - self.field.reshape(2, -1), np.arange(pixels.shape[1])
        enough = _NEAR * (1 - self.steepest) / max(self.steepest, _NEAR)
        while moving.size:
            nearer = pixels[:, moving] - _looked_up(between, found[:, moving])
            steps = np.hypot(*(nearer - found[:, moving]))
            found[:, moving] = nearer
            moving = moving[steps > enough]
        return found.reshape(self.field.shape)

    @property
    def _pixels(self) -> Field:
        return np.indices(self.field.shape[1:], np.float64)


def elastic(stretch: float, size: Size, stream: np.random.Generator) -> Displacement:
    """One whose largest gradient is ``stretch``: lengths change by at most that share."""
    sigma = SMOOTHNESS * min(size)
    noise = stream.uniform(-1, 1, (2, *size))
    field = _smoothing(size.height, sigma) @ noise @ _smoothing(size.width, sigma).T
    return Displacement(field * (stretch / largest_gradient(field)), stretch)


def largest_gradient(field: Field) -> float:
    """Of (2, H, W), straight between pixels: the most that it differs between two places, by what lies between them.

    Within four pixels each partial derivative changes along one axis alone, so that the largest singular value of the
    gradient is at a corner.
    """
    down, right = np.diff(field, axis=1), np.diff(field, axis=2)
    sides = [(a, b) for a in (down[:, :, :-1], down[:, :, 1:]) for b in (right[:, :-1], right[:, 1:])]
    return float(np.sqrt(max(_largest_square(a, b) for a, b in sides)))


def _largest_square(first: Field, second: Field) -> float:
    """Of the singular values of 2 x 2 matrices with those columns (2, ...)."""
    squares = first[0] ** 2 + first[1] ** 2 + second[0] ** 2 + second[1] ** 2
    determinants = first[0] * second[1] - first[1] * second[0]
    return float((squares + np.sqrt(np.maximum(squares**2 - 4 * determinants**2, 0))).max()) / 2


@lru_cache(maxsize=4)
def _smoothing(side: int, sigma: float) -> Field:
    """(side, side): a Gaussian that ends at three sigma, mirrored at the image's edge, as SciPy's ``reflect``."""
    reach = int(_TRUNCATE * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    sources = (np.arange(side)[:, None] + offsets) % (2 * side)
    sources = np.minimum(sources, 2 * side - 1 - sources)
    matrix = np.zeros((side, side))
    np.add.at(matrix, (np.arange(side)[:, None], sources), weights / weights.sum())
    return matrix


def _between_pixels(field: Field) -> Field:
    """(H - 1, W - 1, 2, 4) of a field (2, H, W): a, b, c and e of a + b x + c y + e x y between four pixels each."""
    right, down = np.diff(field, axis=2), np.diff(field, axis=1)
    parts = [field[:, :-1, :-1], right[:, :-1], down[:, :, :-1], np.diff(right, axis=1)]
    return np.ascontiguousarray(np.stack(parts, -1).transpose(1, 2, 0, 3))


def _looked_up(between: Field, where: Field) -> Field:
    """(2, P) of the field at P places (2, P), row and column; beyond the edge as on it."""
    rows, columns = between.shape[:2]
    down, right = np.clip(where[0], 0, rows), np.clip(where[1], 0, columns)
    top, left = np.minimum(down.astype(np.intp), rows - 1), np.minimum(right.astype(np.intp), columns - 1)
    y, x = down - top, right - left
    a, b, c, e = between.reshape(-1, 2, 4).take(top * columns + left, axis=0).transpose(2, 1, 0)
    found: Field = a + b * x + c * y + e * (x * y)
    return found
