"""A figure: how it is drawn, what it says to whoever cannot see it, and its numbers as tables."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from app.reports.figures.palette import Palette
from app.reports.tables import Table
from app.reports.words import short

Draw = Callable[[Figure, Palette], None]


@dataclass(frozen=True)
class Drawing:
    """``section`` is the measure under which it stands, or ``overview``.

    ``size`` is in inches, and small, so that its letters can still be read on a telephone.
    """

    name: str
    section: str
    title: str
    alt: str
    draw: Draw
    tables: tuple[Table, ...]
    size: tuple[float, float]
    note: str = ""
    """What the marks mean that the legend does not name."""


HANDLE, LETTER, LINE = 0.55, 0.075, 0.17
"""Inches of a legend: the mark beside a name, a letter, a line."""


def with_legend(size: tuple[float, float], names: Sequence[str]) -> tuple[float, float]:
    """A size that has room below for the names, the first line of which is in it already."""
    width, height = size
    return width, height + LINE * (math.ceil(len(names) / _columns(names, width)) - 1)


def legend(figure: Figure, names: Sequence[str]) -> None:
    """Below the axes, in as many columns as fit."""
    figure.legend(loc="outside lower center", ncols=_columns(names, figure.get_figwidth()))


def _columns(names: Sequence[str], width: float) -> int:
    longest = max((len(short(name)) for name in names), default=1)
    return max(1, min(3, len(names), int(width / (HANDLE + LETTER * longest))))
