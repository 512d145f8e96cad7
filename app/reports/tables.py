"""A table of a report: every cell is text already."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
