"""How maps are stored, and how large those of a map set may be."""

from math import floor, sqrt

FLOAT_BYTES = 4
"""Of a cell, as maps are stored: float32, little-endian."""
MOST_CELLS = 2**20
"""Of a map as it is kept; larger ones are brought down to it by area when they are read."""
MOST_CELLS_OF_AUDIT = 2**16
"""Of a map as an audit stores it, beside scores that were made of the whole."""


def fitting_size(height: int, width: int, *, most: int = MOST_CELLS) -> tuple[int, int]:
    """Height and width with the aspect kept, the same where they fit."""
    cells = height * width
    if cells <= most:
        return height, width
    ratio = sqrt(most / cells)
    rows = min(max(1, floor(height * ratio)), most)
    return rows, min(max(1, floor(width * ratio)), most // rows)
