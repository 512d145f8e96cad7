"""Moves by name and number (`app.domain.views.moves`): any angle, scale, shear, perspective, and elastic ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from app.domain.models.input_size import Size, size_of
from app.domain.views.moves import MOVES, MoveKind, move_of
from app.imaging.motions import Motion, motion_of, places
from app.imaging.pixel_order import order_generator
from worker.functional.warping import inside, warped
from worker.views.base import CarriedBack, ImageBatch, ViewSetting
from worker.views.maps import SalienceMaps


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
        return [_motion(self.name, self.size, self.seed, sample) for sample in drawn]


@lru_cache(maxsize=32)
def _motion(name: str, size: Size, seed: int, sample: str) -> Motion:
    """Maps come back by the motion that moved the image, and those of every model and method of a batch: an elastic
    one and its inverse take 30 ms each."""
    return motion_of(name, size, order_generator(seed, sample, name))


def moved_view(name: str, setting: ViewSetting) -> MovedView:
    """The number stands behind the @. Raises KeyError where there is no such move."""
    found = move_of(name)
    if found is None:
        raise KeyError(name)
    return MovedView(found[0], name, size_of(setting.input_size), setting.protocol.seed)
