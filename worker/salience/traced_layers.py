"""A layer whose output holds a feature map, and how many pixels one of its cells stands for."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from torch import Tensor

from app.domain.vocabulary import Layout
from worker.salience.layouts import Arrangement


@dataclass(frozen=True)
class Layer:
    """A module whose output holds a feature map of more than one cell.

    How it lies there is known from the operations that made it or take it (``Positions``), never from its shape.
    """

    name: str
    channels: int
    height: int
    width: int
    layout: Layout = Layout.NCHW
    prefix_tokens: int = 0

    @classmethod
    def of(cls, name: str, tensor: Tensor, found: Arrangement) -> Self:
        channels = tensor.shape[1 if found.layout is Layout.NCHW else -1]
        return cls(name, channels, found.height, found.width, found.layout, found.prefix_tokens)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def arrangement(self) -> Arrangement:
        return Arrangement(self.layout, self.height, self.width, self.prefix_tokens)


def down_sampling(sizes: list[int], cells: int, side: int) -> int:
    """From ``side`` pixels to ``cells``, by the ``sizes`` of the feature maps on the way."""
    factor = 1
    way = [side, *sorted({size for size in sizes if cells < size < side}, reverse=True), cells]
    for larger, smaller in pairwise(way):
        factor *= max(1, round(larger / smaller))
    is_plausible = (cells - 1) * factor < side and cells * factor > 0.7 * side
    return factor if is_plausible else max(1, side // cells)
