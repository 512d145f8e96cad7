"""The views: changes of the images, by family. `worker.views` makes them; measures name those that they need.

A view's name is fixed (``shift_left``), or its family's name with a number behind it (``noise@0.05``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

SHIFTS = (
    *("shift_left", "shift_right", "shift_up", "shift_down"),
    *("shift_up_left", "shift_up_right", "shift_down_left", "shift_down_right"),
)
FLIPS = ("flip_horizontal", "flip_vertical")
ROTATIONS = ("rotate_90_cw", "rotate_90_ccw")
DEGRADATIONS = ("salience_removed", "non_salience_removed")
GEOMETRIC_GROUPS: dict[str, tuple[str, ...]] = {"shifts": SHIFTS, "flips": FLIPS, "rotations": ROTATIONS}


def plain_title(view: str) -> str:
    """``rotate_90_cw`` -> ``rotate 90 cw``."""
    return view.replace("non_", "non-").replace("_", " ")


@dataclass(frozen=True)
class ViewFamily:
    """Views of one kind.

    ``names`` are the fixed ones. ``parameter`` is the word for the number behind the others' @, as error messages and
    documents write it; it is over 0 and at most ``largest``. ``title`` makes a view's name into words.
    """

    name: str
    names: tuple[str, ...] = ()
    parameter: str | None = None
    largest: float = 1.0
    title: Callable[[str], str] = plain_title

    def has(self, view: str) -> bool:
        """Whether it is one of these views."""
        return view in self.names or (self.parameter is not None and view.startswith(f"{self.name}@"))


def with_parameter(family: str, number: float) -> str:
    """The name of a view with a number, in its shortest decimal form: ``noise@0.05``, ``noise@1``."""
    return f"{family}@{Decimal(repr(float(number))).normalize():f}"


def noise_view(amount: float) -> str:
    """Salt and pepper at that amount."""
    return with_parameter(NOISE.name, amount)


def _noise_title(view: str) -> str:
    """``noise@0.05`` -> ``noise 5%``."""
    return f"noise {100 * float(view.removeprefix('noise@')):g}%"


NOISE = ViewFamily("noise", parameter="AMOUNT", title=_noise_title)
GEOMETRY = ViewFamily("geometry", (*SHIFTS, *FLIPS, *ROTATIONS))
DEGRADATION = ViewFamily("degradation", DEGRADATIONS)


def family_of(view: str, families: Iterable[ViewFamily]) -> ViewFamily | None:
    """None for what changes no image: a group of views, or a reading of the clean map."""
    return next((family for family in families if family.has(view)), None)
