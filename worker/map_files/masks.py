"""A mask as spans of pixels: shapes tell where they begin and end, and all of an image are drawn at once."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from worker.map_files.found import Size, Values

Places = NDArray[np.int64]
MOST_SPANS = 2**20
"""That wait to be drawn; of more, those that lie on each other become one."""


class Mask:
    """Of an image: a pixel is in where any shape has it.

    What a shape costs are its spans, however large the image is.
    """

    def __init__(self, size: Size) -> None:
        self.shape = size[::-1]
        self._pixels = size[0] * size[1]
        self._across, self._down = _Spans(), _Spans()

    def add_across(self, begins: Places, ends: Places) -> None:
        """Pixels [begin, end) of the rows one behind the other."""
        self._across.add(begins, ends)

    def add_down(self, begins: Places, ends: Places) -> None:
        """Pixels [begin, end) of the columns one behind the other."""
        self._down.add(begins, ends)

    def drawn(self) -> Values:
        """(h, w) of 0 and 1."""
        across = self._across.drawn(self._pixels).reshape(self.shape)
        if self._down.count == 0:
            return across
        return np.maximum(across, self._down.drawn(self._pixels).reshape(self.shape[::-1]).T)


class _Spans:
    """Any number of [begin, end), which may lie on each other."""

    def __init__(self) -> None:
        self.count = 0
        self._begins: list[Places] = []
        self._ends: list[Places] = []
        self._most = MOST_SPANS

    def add(self, begins: Places, ends: Places) -> None:
        self._begins.append(begins)
        self._ends.append(ends)
        self.count += len(begins)
        if self.count > self._most:
            places, inside = self._steps()
            before = np.concatenate([[False], inside[:-1]])
            self._begins, self._ends = [places[inside & ~before]], [places[~inside & before]]
            self.count = len(self._begins[0])
            self._most = max(MOST_SPANS, 2 * self.count)

    def drawn(self, pixels: int) -> Values:
        """(pixels,) of 0 and 1."""
        places, inside = self._steps()
        lengths = np.diff(places, prepend=0, append=pixels)
        return np.repeat(np.concatenate([[False], inside]).astype(np.float32), lengths)

    def _steps(self) -> tuple[Places, NDArray[np.bool_]]:
        """The places where spans begin or end, in order, and whether what follows each lies in one."""
        places = np.concatenate([np.zeros(0, np.int64), *self._begins, *self._ends])
        changes = np.ones(len(places), np.int64)
        changes[self.count :] = -1
        order = np.argsort(places, kind="stable")
        return places[order], np.cumsum(changes[order]) > 0


def fill_runs(mask: Mask, counts: Iterable[int]) -> None:
    """COCO's run lengths: down the columns, first what is out. Raises ValueError where they are not as many as there
    are pixels."""
    lengths, pixels = np.fromiter(counts, np.int64), mask.shape[0] * mask.shape[1]
    # Each by itself first: the sum of large ones would not fit its type, and come out as any number.
    if ((lengths < 0) | (lengths > pixels)).any() or lengths.sum() != pixels:
        raise ValueError("run lengths do not add up to the image")
    places = np.cumsum(lengths)
    ends = places[1::2]
    mask.add_down(places[::2][: len(ends)], ends)
