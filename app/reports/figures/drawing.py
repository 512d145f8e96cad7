"""A figure: how it is drawn, what it says to whoever cannot see it, and its numbers as tables."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from app.reports.figures.palette import Palette
from app.reports.tables import Table

WIDTH, HEIGHT = 4.4, 3.2
"""Inches; small, so that its letters can still be read on a telephone."""

Draw = Callable[[Figure, Palette], None]


@dataclass(frozen=True)
class Drawing:
    """``section`` is the measure under which it stands, or ``overview``."""

    name: str
    section: str
    title: str
    alt: str
    draw: Draw
    tables: tuple[Table, ...]
    size: tuple[float, float] = (WIDTH, HEIGHT)
