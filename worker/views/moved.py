"""Moves by name and number (`app.domain.moves`): any angle, scale, shear, perspective, and elastic ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from app.domain.input_size import Size, size_of
from app.domain.moves import MOVES, MoveKind, move_of
from app.imaging.motions import Motion, motion_of, places
from app.imaging.pixel_order import order_generator
from worker.functional.warping import inside, warped
from worker.salience.maps import SalienceMaps
from worker.views.base import CarriedBack, ImageBatch, ViewSetting


@dataclass(frozen=True)
class MovedView:
    """Images (N, 3, H, W) uint8 moved, the edge repeated; maps (N, H, W) uint8 come back by the way there.

    What is random has one stream per (seed, sample, move, number), so that all models see the same images.
    """

    kind: MoveKind
    name: str
    size: Size
    seed: int

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared((self.name, self.seed), lambda: self._moved(batch))

    def carry_back(self, maps: Tensor, samples: Sequence[str]) -> CarriedBack:
        ways = [motion.there for motion in self._motions(samples)]
        return CarriedBack(warped(maps, ways), inside([places(way, self.size) for way in ways]))

    def compared(self, maps: Tensor) -> Tensor:
        return maps

    def _moved(self, batch: ImageBatch) -> Tensor:
        return warped(batch.images, [motion.back for motion in self._motions(batch.samples)])

    def _motions(self, samples: Sequence[str]) -> list[Motion]:
        """One a sample; of what is not random one for all."""
        drawn = samples if MOVES[self.kind].is_random else samples[:1]
        return [motion_of(self.name, self.size, order_generator(self.seed, sample, self.name)) for sample in drawn]


def moved_view(name: str, setting: ViewSetting) -> MovedView:
    """The number stands behind the @. Raises KeyError where there is no such move."""
    found = move_of(name)
    if found is None:
        raise KeyError(name)
    return MovedView(found[0], name, size_of(setting.input_size), setting.protocol.seed)
