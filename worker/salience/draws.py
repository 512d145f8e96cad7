"""What random numbers a map is made with, where its method draws some."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.imaging.pixel_order import order_generator


@dataclass(frozen=True)
class Draws:
    """The streams of N images: one per seed, sample and method, whatever batch, shard, order or worker a map is made
    in. The clean image and every view of it draw the same numbers, so that their maps differ by the images alone.

    ``samples`` are names; images behind the last one (they pad a batch) draw as that does, without any as one sample.
    """

    seed: int = 0
    samples: Sequence[str] = ("",)

    def stream(self, place: int, method: str) -> np.random.Generator:
        """Of the image at ``place``; it stands at its beginning."""
        return order_generator(self.seed, self.samples[min(place, len(self.samples) - 1)], method)

    def of_one(self, place: int) -> "Draws":
        """Of any number of copies of the image at ``place``."""
        return Draws(self.seed, self.samples[place : place + 1])


UNNAMED = Draws()
