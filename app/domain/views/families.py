"""The views: changes of the images, by family. `worker.views` makes them; measures name those that they need.

A view's name is fixed (``shift_left``), or its family's name with a number behind it (``noise@0.05``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

SHIFTS = (
    "shift_left",
    "shift_right",
    "shift_up",
    "shift_down",
    "shift_up_left",
    "shift_up_right",
    "shift_down_left",
    "shift_down_right",
)
FLIPS = ("flip_horizontal", "flip_vertical")
ROTATIONS = ("rotate_90_cw", "rotate_90_ccw")
DEGRADATIONS = ("salience_removed", "non_salience_removed")
CELL_DIRECTIONS = ("left", "right", "up", "down")
FILL = "fill"
"""Nothing of the image is left."""
ORDERS = ("kept", "removed", "kept_random", "removed_random")
"""Which pixels stay, by share of the area: in the map's order, or cell by cell at random."""
WITHOUT = ("without_arrangement", "without_colour")
"""All is left but where each part stood, or but the colours."""
WITHOUT_DETAIL = "without_detail"
"""All is left but what a slight blur takes: grain, traces of compression, sharpness."""
DETAIL_SHARE = 1 / 224
"""Of the shorter side, the sigma of that blur: a pixel of 224."""
GEOMETRIC_GROUPS: dict[str, tuple[str, ...]] = {"shifts": SHIFTS, "flips": FLIPS, "rotations": ROTATIONS}


def plain_title(view: str) -> str:
    """``rotate_90_cw`` -> ``rotate 90 cw``."""
    return view.replace("non_", "non-").replace("_", " ")


@dataclass(frozen=True)
class ViewFamily:
    """Views of one kind.

    ``names`` are the fixed ones. ``parameter`` is the word for the number behind the others' @, as error messages and
    documents write it; it is over 0 and at most ``largest``, any number or a ``whole`` one. ``title`` makes a view's
    name into words. Views that ``follow_maps`` are made of an image and its clean map; all others of the image alone.
    """

    name: str
    names: tuple[str, ...] = ()
    parameter: str | None = None
    largest: float = 1.0
    whole: bool = False
    title: Callable[[str], str] = plain_title
    follow_maps: bool = False

    def has(self, view: str) -> bool:
        """Whether it is one of these views."""
        return view in self.names or (self.parameter is not None and view.startswith(f"{self.name}@"))


def with_parameter(family: str, number: float) -> str:
    """The name of a view with a number, in its shortest decimal form: ``noise@0.05``, ``noise@1``."""
    return f"{family}@{Decimal(repr(float(number))).normalize():f}"


def noise_view(amount: float) -> str:
    """Salt and pepper at that amount."""
    return with_parameter(NOISE.name, amount)


def cells_view(count: int, direction: str) -> str:
    """A shift by whole cells of the map: ``cells_1_left``."""
    return f"cells_{count}_{direction}"


_STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def cells_step(view: str) -> tuple[int, int]:
    """Where the content goes, in cells to the right and down: ``cells_2_left`` -> (-2, 0)."""
    _, count, direction = view.split("_")
    right, down = _STEPS[direction]
    return right * int(count), down * int(count)


def _cells_title(view: str) -> str:
    """``cells_1_left`` -> ``1 cell left``."""
    _, count, direction = view.split("_")
    return f"{count} {'cell' if count == '1' else 'cells'} {direction}"


def filled_view(order: str, share: float) -> str:
    """``kept@0.02``: of the area, in one of the `ORDERS`."""
    return with_parameter(order, share)


def _filled_title(view: str) -> str:
    """``kept_random@0.02`` -> ``kept random 2%``."""
    order, _, share = view.partition("@")
    return plain_title(order) + (f" {100 * float(share):g}%" if share else "")


def _noise_title(view: str) -> str:
    """``noise@0.05`` -> ``noise 5%``."""
    return f"noise {100 * float(view.removeprefix('noise@')):g}%"


NOISE = ViewFamily("noise", parameter="AMOUNT", title=_noise_title)
GEOMETRY = ViewFamily("geometry", (*SHIFTS, *FLIPS, *ROTATIONS))
CELLS = ViewFamily(
    "cells",
    tuple(cells_view(count, direction) for count in (1, 2, 3) for direction in CELL_DIRECTIONS),
    title=_cells_title,
)
FILLED = (
    *(ViewFamily(order, parameter="SHARE", title=_filled_title, follow_maps=True) for order in ORDERS),
    ViewFamily("rest", (FILL, *WITHOUT, WITHOUT_DETAIL), follow_maps=True),
)
DEGRADATION = ViewFamily("degradation", DEGRADATIONS, follow_maps=True)


def family_of(view: str, families: Iterable[ViewFamily]) -> ViewFamily | None:
    """None for what changes no image: a group of views, or a reading of the clean map."""
    return next((family for family in families if family.has(view)), None)
