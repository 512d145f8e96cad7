"""Shifts, flips and quarter turns (Crum et al. 2023, S_G)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from app.domain.measures import GEOMETRIC_RESILIENCE
from app.domain.measures.geometric_resilience import GeometricResilienceSettings
from worker.functional.geometry import (
    compared_region,
    flip_horizontal,
    flip_vertical,
    rotate_90_ccw,
    rotate_90_cw,
    shift,
)
from worker.salience.maps import SalienceMaps
from worker.views.base import ImageBatch, ViewSetting


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


def default_shift_pixels(input_size: int) -> int:
    """The paper's 16 pixels of 224, for any input size."""
    return max(1, round(input_size / 14))


@dataclass(frozen=True)
class GeometricView:
    """One of eight shifts, two flips and two quarter turns of (N, 3, S, S) uint8 images, bit for bit.

    A shift moves by ``pixels`` and repeats the border there and back; ``overlap`` compares only what stayed inside.
    Maps (N, S, S) come back by the opposite move. Crum et al. 2023, S_G.
    """

    name: str
    pixels: int
    overlap: bool = False

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared((self.name, self.pixels), lambda: self._forth(batch.images))

    def carry_back(self, maps: Tensor) -> Tensor:
        if self.name in TURNS:
            return TURNS[self.name][1](maps)
        direction = DIRECTIONS[self.name]
        return shift(maps, -direction.right * self.pixels, -direction.down * self.pixels)

    def compared(self, maps: Tensor) -> Tensor:
        if not self.overlap or self.name in TURNS:
            return maps
        direction = DIRECTIONS[self.name]
        rows, columns = compared_region(direction.right * self.pixels, direction.down * self.pixels, maps.shape[-1])
        return maps[..., rows, columns]

    def _forth(self, images: Tensor) -> Tensor:
        if self.name in TURNS:
            return TURNS[self.name][0](images)
        direction = DIRECTIONS[self.name]
        return shift(images, direction.right * self.pixels, direction.down * self.pixels)


def geometric_view(name: str, setting: ViewSetting) -> GeometricView:
    """As far as the protocol says, or a fourteenth of the input."""
    settings = GEOMETRIC_RESILIENCE.settings_in(setting.protocol.measures) or GeometricResilienceSettings()
    pixels = settings.shift_pixels or default_shift_pixels(setting.input_size)
    return GeometricView(name, pixels=pixels, overlap=settings.overlap)
