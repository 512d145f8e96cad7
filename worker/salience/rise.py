"""RISE: the image under many random masks; each mask counts as much as the class's score of what it left.

Petsiuk, Das and Saenko 2018, arXiv 1806.07421. A mask is CELLS x CELLS cells, each of which is kept with probability
KEPT, enlarged to one cell more than the image by bilinear interpolation and cut out at random. What is masked becomes 0
after normalisation, as in the authors' code. It asks for nothing but outputs, whatever the network is made of.
"""

from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.domain.models.input_size import Size
from app.domain.vocabulary import ClassScore
from worker.salience.one_by_one import Case, parts

CELLS, KEPT = 7, 0.5


def rise(case: Case, count: int) -> Tensor:
    """(H, W) float32, as large as the image: the mean of ``count`` masks under the class's scores, over KEPT."""
    size = Size(*case.image.shape[2:])
    drawn = Drawn.of(case.stream, count, size)
    total = torch.zeros(size, dtype=torch.float64, device=case.image.device)
    for part in parts(count):
        masks = drawn.enlarged(size, part).to(case.image.device)
        logits = case.logits_of(case.image * masks[:, None])
        scores = case.network.decisions.class_scores(logits, ClassScore.SOFTMAX)[:, case.chosen]
        total += (scores.view(-1, 1, 1) * masks).sum(0)
    return (total / (count * KEPT)).float()


class Drawn(NamedTuple):
    """What is random about M masks: ``kept`` (M, CELLS, CELLS) float32 of 0 and 1, and the ``places`` (M, 2) int64, row
    and column, from which on the image is cut out.
    """

    kept: NDArray[np.float32]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, stream: np.random.Generator, count: int, size: Size) -> Self:
        kept = (stream.random((count, CELLS, CELLS)) < KEPT).astype(np.float32)
        return cls(kept, stream.integers(0, cell_sides(size), (count, 2)))

    def enlarged(self, size: Size, part: slice) -> Tensor:
        """A part of them as masks (M, H, W) float32 in [0, 1]."""
        kept = torch.from_numpy(self.kept[part])
        factors = []
        for axis, (side, cell) in enumerate(zip(size, cell_sides(size), strict=True)):
            rows = torch.from_numpy(self.places[part, axis, None]) + torch.arange(side)
            factors.append(_interpolation(cell)[rows])
        down, right = factors
        return down @ kept @ right.mT


def cell_sides(size: Size) -> tuple[int, int]:
    """Pixels (down, right) of a cell: CELLS of them cover the image."""
    return -(-size[0] // CELLS), -(-size[1] // CELLS)


@lru_cache(maxsize=8)
def _interpolation(cell: int) -> Tensor:
    """((CELLS + 1) * cell, CELLS) float32: the shares of the cells in every pixel of an enlarged row.

    Between the middles of cells it is linear; beyond the outermost the row is mirrored at them.
    """
    count = (CELLS + 1) * cell
    place = np.abs((np.arange(count) + 0.5) * CELLS / count - 0.5)
    place = (CELLS - 1) - np.abs((CELLS - 1) - place)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, CELLS - 1)
    shares = np.zeros((count, CELLS))
    np.add.at(shares, (np.arange(count), low), 1 - (place - low))
    np.add.at(shares, (np.arange(count), high), place - low)
    return torch.from_numpy(shares.astype(np.float32))
