"""Moves of an image beside the paper's twelve, by name and number. Where each pixel goes is `app.imaging.motions`."""

from dataclasses import dataclass
from typing import Literal, get_args

from app.domain.views.families import ViewFamily, plain_title

MoveKind = Literal["rotation", "scale", "shear", "perspective", "elastic"]


@dataclass(frozen=True)
class MoveSpec:
    """A move's page: what its number is, in words, over ``smallest`` or as much, and at most ``largest``.

    ``is_random``: it draws from the stream of its sample.
    """

    number: str
    largest: float
    smallest: float = 0.0
    still: float = 0.0
    """The number that moves nothing, which is none."""
    unit: str = ""
    is_random: bool = False
    reference: str | None = None

    def allows(self, number: float) -> bool:
        return number != self.still and self.smallest <= number <= self.largest

    @property
    def limits(self) -> str:
        """In words, as refusals tell them."""
        return f"is from {self.smallest:g} to {self.largest:g}, and not {self.still:g}"


_HOMOGRAPHIES = "Hartley and Zisserman 2004, Multiple View Geometry, 2.4"
MOVES: dict[MoveKind, MoveSpec] = {
    "rotation": MoveSpec("degrees clockwise, about the middle", 359, unit="°", reference=f"{_HOMOGRAPHIES}: isometry"),
    "scale": MoveSpec(
        "factor, about the middle", 4, smallest=0.25, still=1, unit=" times", reference=f"{_HOMOGRAPHIES}: similarity"
    ),
    "shear": MoveSpec(
        "degrees by which upright lines lean, the lower end to the right",
        45,
        unit="°",
        reference=f"{_HOMOGRAPHIES}: affinity",
    ),
    "perspective": MoveSpec("share that the upper edge loses", 0.6, reference=f"{_HOMOGRAPHIES}: projectivity"),
    "elastic": MoveSpec(
        "share by which lengths change where they change most",
        0.75,
        is_random=True,
        reference="Simard et al. 2003, ICDAR (elastic deformations)",
    ),
}


def move_of(view: str) -> tuple[MoveKind, float] | None:
    """``rotation@15`` -> its kind and number; None where the view is none of these."""
    word, _, number = view.partition("@")
    return next(((kind, float(number)) for kind in MOVES if kind == word), None)


def _title(view: str) -> str:
    """``rotation@15`` -> ``rotation 15°``."""
    kind, _, number = view.partition("@")
    return f"{plain_title(kind)} {float(number):g}{next(spec.unit for name, spec in MOVES.items() if name == kind)}"


FAMILIES = tuple(
    ViewFamily(kind, parameter="NUMBER", largest=MOVES[kind].largest, title=_title) for kind in get_args(MoveKind)
)
