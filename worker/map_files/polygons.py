"""Outlines and runs of pixels, drawn as masks.

A pixel is in where its middle is within the outline; coordinates are those of COCO and LabelMe: the first pixel reaches
from 0 to 1.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from skimage.draw import ellipse, polygon

from worker.map_files.found import Size, Values

Points = Sequence[tuple[float, float]]
MOST_BITS = 60
"""Of a run length."""


def nothing(size: Size) -> Values:
    return np.zeros(size[::-1], np.float32)


def fill_outline(mask: Values, points: Points) -> None:
    """In place; of a polygon that crosses itself what an odd number of its edges surrounds."""
    if len(points) < 3:
        return
    x, y = np.array(points, np.float64).T
    mask[polygon(y - 0.5, x - 0.5, mask.shape)] = 1


def fill_rectangle(mask: Values, points: Points) -> None:
    """Of two opposite corners."""
    (left, top), (right, bottom) = points
    fill_outline(mask, [(left, top), (right, top), (right, bottom), (left, bottom)])


def fill_circle(mask: Values, points: Points) -> None:
    """Of its middle and a point on it."""
    (x, y), (on_x, on_y) = points
    radius = float(np.hypot(on_x - x, on_y - y))
    if radius > 0:
        mask[ellipse(y - 0.5, x - 0.5, radius, radius, shape=mask.shape)] = 1


def fill_runs(mask: Values, counts: Iterable[int]) -> None:
    """COCO's run lengths: down the columns, first what is out. Raises ValueError where they are not as many as there
    are pixels."""
    lengths = np.fromiter(counts, np.int64)
    # Each by itself first: the sum of large ones would not fit its type, and come out as any number.
    if ((lengths < 0) | (lengths > mask.size)).any() or lengths.sum() != mask.size:
        raise ValueError("run lengths do not add up to the image")
    inside = np.arange(lengths.size) % 2 == 1
    mask[np.repeat(inside, lengths).reshape(mask.shape, order="F")] = 1


def unpacked(text: str) -> list[int]:
    """COCO's compressed run lengths: six bits a character, five of them a number's, every length from the third on told
    by its difference from the one before the last (pycocotools' maskApi)."""
    counts: list[int] = []
    place = 0
    while place < len(text):
        number, shift, more = 0, 0, True
        while more and place < len(text):
            if shift > MOST_BITS:
                raise ValueError("a run length is no number of pixels")
            bits = ord(text[place]) - 48
            number |= (bits & 0x1F) << shift
            more, place, shift = bool(bits & 0x20), place + 1, shift + 5
            if not more and bits & 0x10:
                number |= -1 << shift
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    return counts
