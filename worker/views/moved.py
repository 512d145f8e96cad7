"""Moves by name and number (`app.domain.moves`): any angle, scale, shear, perspective."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from app.domain.input_size import size_of
from app.domain.moves import Matrix, inverse, matrix_of
from worker.functional.warping import seen_by_both, warped
from worker.salience.maps import SalienceMaps
from worker.views.base import ImageBatch, ViewSetting


@dataclass(frozen=True)
class MovedView:
    """Images (N, 3, H, W) uint8 moved by ``matrix``, the edge repeated; maps (N, H, W) uint8 come back by its inverse.

    ``seen`` (H, W) bool are the pixels that the clean image's map and the view's both saw: only there are maps
    compared.
    """

    name: str
    matrix: Matrix
    size: tuple[int, int]

    @cached_property
    def seen(self) -> Tensor:
        return seen_by_both(self.matrix, *self.size)

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared(self.name, lambda: warped(batch.images, self.matrix))

    def carry_back(self, maps: Tensor) -> Tensor:
        return warped(maps, inverse(self.matrix))

    def compared(self, maps: Tensor) -> Tensor:
        return maps


def moved_view(name: str, setting: ViewSetting) -> MovedView:
    """The number stands behind the @. Raises KeyError where there is no such move."""
    size = size_of(setting.input_size)
    return MovedView(name, matrix_of(name, size.height, size.width), (size.height, size.width))
