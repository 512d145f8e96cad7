"""Where the pixels of an image go in a move of `app.domain.views.moves`, and where from: for audits and for pictures.

A *way* leads from every pixel of one image to a place in another, in the two forms that scikit-image's ``warp`` takes:
a matrix (3, 3) float64 for (x, y, 1), or row and column (2, H, W) float64 of each; both in pixels from the upper left
one's middle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin, tan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.models.input_size import Size
from app.domain.views.moves import MoveKind, move_of
from app.imaging.elastic import elastic

Way = NDArray[np.float64]
Stream = np.random.Generator


class Motion(Protocol):
    """A move of images of one size, one to one."""

    @property
    def back(self) -> Way:
        """From each pixel of the moved image to what came there."""

    @property
    def there(self) -> Way:
        """From each pixel of the image to where it went."""


@dataclass(frozen=True)
class Homography:
    """What a matrix does."""

    back: Way

    @property
    def there(self) -> Way:
        return np.linalg.inv(self.back).astype(np.float64)


def motion_of(view: str, size: Size, stream: Stream) -> Motion:
    """Of images of that size; ``stream`` is for what is random. Raises KeyError where there is no such move."""
    found = move_of(view)
    if found is None:
        raise KeyError(view)
    kind, number = found
    return MOTIONS[kind](number, size, stream)


def places(way: Way, size: Size) -> Way:
    """Row and column (2, H, W) that a way leads to from every pixel; where that is behind the eye, minus infinity."""
    if way.shape != (3, 3):
        return way
    down, right = np.indices(size, np.float64)
    x, y, depth = way @ np.stack([right.ravel(), down.ravel(), np.ones(right.size)])
    with np.errstate(divide="ignore", invalid="ignore"):
        led = np.where(depth > 0, np.stack([y, x]) / depth, -np.inf)
    return led.reshape(2, *size)


def _about_the_middle(matrix: Callable[[float, float, float], Way]) -> Callable[[float, Size, Stream], Motion]:
    """``matrix`` gives (3, 3) for a number and half of an image's sides (right, down) in pixels: where (x, y, 1) goes,
    counted from the image's middle."""

    def motion(number: float, size: Size, _stream: Stream) -> Motion:
        right, down = (size.width - 1) / 2, (size.height - 1) / 2
        to_middle, from_middle = np.eye(3), np.eye(3)
        to_middle[:2, 2], from_middle[:2, 2] = (-right, -down), (right, down)
        return Homography(np.linalg.inv(from_middle @ matrix(number, right, down) @ to_middle).astype(np.float64))

    return motion


def _rotation(degrees: float, _right: float, _down: float) -> Way:
    turn = radians(degrees)
    return np.array([[cos(turn), -sin(turn), 0], [sin(turn), cos(turn), 0], [0, 0, 1]])


def _scale(factor: float, _right: float, _down: float) -> Way:
    return np.diag([factor, factor, 1.0])


def _shear(degrees: float, _right: float, _down: float) -> Way:
    return np.array([[1, tan(radians(degrees)), 0], [0, 1, 0], [0, 0, 1]])


def _perspective(share: float, right: float, down: float) -> Way:
    """The upper edge keeps ``1 - share`` of its length, the lower one all: where four corners go says the rest."""
    corners = [(-right, -down), (right, -down), (right, down), (-right, down)]
    there = [(-right * (1 - share), -down), (right * (1 - share), -down), *corners[2:]]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, there, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        wanted += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(wanted)), 1.0).reshape(3, 3)


MOTIONS: dict[MoveKind, Callable[[float, Size, Stream], Motion]] = {
    "rotation": _about_the_middle(_rotation),
    "scale": _about_the_middle(_scale),
    "shear": _about_the_middle(_shear),
    "perspective": _about_the_middle(_perspective),
    "elastic": elastic,
}
