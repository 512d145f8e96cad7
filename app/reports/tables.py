"""A table of a report: every cell is text already."""

from dataclasses import dataclass
from string import ascii_lowercase

from app.reports.words import Greyed

LONG_CELL = 28
LONG_WORD = 13
"""Letters, from which on a word may be broken on paper, where no table can scroll."""
MOST_OPEN_ROWS = 24
WIDE = 12
"""Columns, from which on a printed table needs small letters."""


@dataclass(frozen=True)
class Table:
    """The first cell of a row names it. ``words`` are columns that hold words, so that they begin at the left."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()
    collapsed: bool = False
    """Shown only to whoever opens it."""
    spanning: bool = False
    """On paper as wide as the page, where others stand two abreast."""

    @property
    def is_wide(self) -> bool:
        return len(self.head) > WIDE

    @property
    def reasons(self) -> dict[str, str]:
        """Why numbers of the table say nothing, each with the letter that marks them."""
        found = dict.fromkeys(cell.reason for row in self.rows for cell in row if isinstance(cell, Greyed))
        return dict(zip(found, ascii_lowercase, strict=False))

    def kind(self, column: int) -> str:
        """The class of a column's cells, its head among them."""
        long = any(len(row[column]) > LONG_CELL for row in self.rows)
        return "words long" if long else "words" if column in self.words else "number"


def breaks(cell: str) -> str:
    """A class for cells that hold a long word; all others keep their words and numbers whole."""
    return " breaks" if any(len(word) > LONG_WORD for word in cell.split()) else ""
