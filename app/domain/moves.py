"""Moves of an image beside the paper's twelve, by name and number: where each pixel goes.

`worker.views.moved` makes them; the API moves an image by the same matrix to show it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin, tan
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.domain.views import ViewFamily, plain_title

MoveKind = Literal["rotation", "scale", "shear", "perspective"]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class MoveSpec:
    """A move's page: what its number is, in words, over ``smallest`` or as much, and at most ``largest``.

    ``matrix`` gives (3, 3) for a number and half of an image's sides (right, down) in pixels: where (x, y, 1) goes,
    counted from the image's middle.
    """

    number: str
    largest: float
    matrix: Callable[[float, float, float], Matrix]
    smallest: float = 0.0
    still: float = 0.0
    """The number that moves nothing, which is none."""
    unit: str = ""

    def allows(self, number: float) -> bool:
        return number != self.still and self.smallest <= number <= self.largest

    @property
    def limits(self) -> str:
        """In words, as refusals tell them."""
        return f"is from {self.smallest:g} to {self.largest:g}, and not {self.still:g}"


def _rotation(degrees: float, _right: float, _down: float) -> Matrix:
    turn = radians(degrees)
    return np.array([[cos(turn), -sin(turn), 0], [sin(turn), cos(turn), 0], [0, 0, 1]])


def _scale(factor: float, _right: float, _down: float) -> Matrix:
    return np.diag([factor, factor, 1.0])


def _shear(degrees: float, _right: float, _down: float) -> Matrix:
    return np.array([[1, tan(radians(degrees)), 0], [0, 1, 0], [0, 0, 1]])


def _perspective(share: float, right: float, down: float) -> Matrix:
    """The upper edge keeps ``1 - share`` of its length, the lower one all: where four corners go says the rest."""
    corners = [(-right, -down), (right, -down), (right, down), (-right, down)]
    there = [(-right * (1 - share), -down), (right * (1 - share), -down), *corners[2:]]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, there, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        wanted += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(wanted)), 1.0).reshape(3, 3)


MOVES: dict[MoveKind, MoveSpec] = {
    "rotation": MoveSpec("degrees clockwise, about the middle", 359, _rotation, unit="°"),
    "scale": MoveSpec("factor, about the middle", 4, _scale, smallest=0.25, still=1, unit=" times"),
    "shear": MoveSpec("degrees by which upright lines lean, the lower end to the right", 45, _shear, unit="°"),
    "perspective": MoveSpec("share that the upper edge loses", 0.6, _perspective),
}


def move_of(view: str) -> tuple[MoveKind, float] | None:
    """``rotation@15`` -> its kind and number; None where the view is none of these."""
    word, _, number = view.partition("@")
    return next(((kind, float(number)) for kind in MOVES if kind == word), None)


def matrix_of(view: str, height: int, width: int) -> Matrix:
    """(3, 3) float64: where a pixel (x, y, 1) of an image of that size goes, counted from its upper left one.

    Raises KeyError where there is no such move.
    """
    found = move_of(view)
    if found is None:
        raise KeyError(view)
    kind, number = found
    right, down = (width - 1) / 2, (height - 1) / 2
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (-right, -down), (right, down)
    moved: Matrix = back @ MOVES[kind].matrix(number, right, down) @ there
    return moved


def inverse(matrix: Matrix) -> Matrix:
    """The way back."""
    back: Matrix = np.linalg.inv(matrix).astype(np.float64)
    return back


def _title(view: str) -> str:
    """``rotation@15`` -> ``rotation 15°``."""
    kind, _, number = view.partition("@")
    return f"{plain_title(kind)} {float(number):g}{next(spec.unit for name, spec in MOVES.items() if name == kind)}"


FAMILIES = tuple(
    ViewFamily(kind, parameter="NUMBER", largest=MOVES[kind].largest, title=_title) for kind in get_args(MoveKind)
)
