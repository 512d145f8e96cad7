"""Shifts, flips and quarter turns (Crum et al. 2023, S_G)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from app.domain.measures import GEOMETRIC_RESILIENCE
from app.domain.measures.geometric_resilience import GeometricResilienceSettings
from app.domain.models.input_size import size_of
from worker.functional.geometry import (
    compared_region,
    flip_horizontal,
    flip_vertical,
    rotate_90_ccw,
    rotate_90_cw,
    shift,
)
from worker.views.base import CarriedBack, ImageBatch, ViewSetting
from worker.views.maps import SalienceMaps


class Direction(NamedTuple):
    """Where a shift moves the content: steps to the right and down."""

    right: int
    down: int


DIRECTIONS = {
    "shift_left": Direction(-1, 0),
    "shift_right": Direction(1, 0),
    "shift_up": Direction(0, -1),
    "shift_down": Direction(0, 1),
    "shift_up_left": Direction(-1, -1),
    "shift_up_right": Direction(1, -1),
    "shift_down_left": Direction(-1, 1),
    "shift_down_right": Direction(1, 1),
}

TURNS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "flip_horizontal": (flip_horizontal, flip_horizontal),
    "flip_vertical": (flip_vertical, flip_vertical),
    "rotate_90_cw": (rotate_90_cw, rotate_90_ccw),
    "rotate_90_ccw": (rotate_90_ccw, rotate_90_cw),
}


def default_shift_pixels(side: int) -> int:
    """The paper's 16 pixels of 224, for any side of an input."""
    return max(1, round(side / 14))


class Pixels(NamedTuple):
    """By how many a shift moves to the right, and down."""

    right: int
    down: int


@dataclass(frozen=True)
class GeometricView:
    """One of eight shifts, two flips and two quarter turns of (N, 3, H, W) uint8 images, bit for bit.

    A shift moves by ``pixels`` and repeats the border there and back; ``overlap`` compares only what stayed inside.
    Maps (N, H, W) come back by the opposite move. Quarter turns are of squares alone. Crum et al. 2023, S_G.
    """

    name: str
    pixels: Pixels
    overlap: bool = False

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared((self.name, self.pixels), lambda: self._forth(batch.images))

    def carry_back(self, maps: Tensor, samples: Sequence[str]) -> CarriedBack:
        del samples
        if self.name in TURNS:
            return CarriedBack(TURNS[self.name][1](maps))
        right, down = self._steps
        return CarriedBack(shift(maps, -right, -down))

    def compared(self, maps: Tensor) -> Tensor:
        if not self.overlap or self.name in TURNS:
            return maps
        rows, columns = compared_region(*self._steps, (maps.shape[-2], maps.shape[-1]))
        return maps[..., rows, columns]

    @property
    def _steps(self) -> Pixels:
        direction = DIRECTIONS[self.name]
        return Pixels(direction.right * self.pixels.right, direction.down * self.pixels.down)

    def _forth(self, images: Tensor) -> Tensor:
        if self.name in TURNS:
            return TURNS[self.name][0](images)
        return shift(images, *self._steps)


def geometric_view(name: str, setting: ViewSetting) -> GeometricView:
    """As far as the protocol says, or a fourteenth of each side of the input."""
    settings = GEOMETRIC_RESILIENCE.settings_in(setting.protocol.measures) or GeometricResilienceSettings()
    sides = size_of(setting.input_size)
    pixels = Pixels(*(settings.shift_pixels or default_shift_pixels(side) for side in (sides.width, sides.height)))
    return GeometricView(name, pixels=pixels, overlap=settings.overlap)
