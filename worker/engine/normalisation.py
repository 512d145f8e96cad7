"""From the 8-bit RGB that views act on to what a network takes."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from app.domain.models.input_size import InputSize
from app.domain.models.input_spec import Colour
from app.domain.models.levels import Channels
from app.domain.models.preprocessing import Preprocessing
from worker.functional.normalization import normalization_table, normalize, to_grey


@dataclass(frozen=True)
class Normalisation:
    """Channels, range, mean and deviation of one model's input; its network takes ``channels`` of them."""

    preprocessing: Preprocessing
    channels: int = 3

    def __call__(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 RGB -> (N, C, H, W) float32, channels last in memory."""
        wanted = self.preprocessing.channels
        if wanted is Channels.BGR:
            images = images.flip(1)
        elif wanted is Channels.GREY:
            images = to_grey(images).expand(-1, self.channels, -1, -1)
        return normalize(images, _table(self.preprocessing, self.channels, images.device))

    @property
    def input_size(self) -> InputSize:
        """A square's side, else height and width."""
        return self.preprocessing.input_size

    @property
    def colour(self) -> Colour:
        """The 8-bit colour that becomes nothing."""
        return self.preprocessing.mean_colour


@lru_cache(maxsize=16)
def _table(given: Preprocessing, channels: int, device: torch.device) -> Tensor:
    """(channels, 256) float32, sent to a device once."""
    table = normalization_table(given.mean, given.std, *given.scale).expand(channels, 256)
    return table.contiguous().to(device)
