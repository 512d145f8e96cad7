"""What another tool gets to explain: a network as it can hook it, images, and the same random numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod
from worker.salience.draws import Draws

SIZE = 128
RISE_MASKS = 200
DRAWS = Draws(0, ("first", "second"))
VIT: dict[str, Any] = {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "image_size": SIZE}
VIT_CONFIG: Any = transformers.ViTConfig


@dataclass(frozen=True)
class Held:
    """A network as the other tools can hook it at ``layer``, and what to explain there."""

    module: nn.Module
    layer: str
    turn: Callable[[Tensor], Tensor] | None
    images: Tensor
    classes: Tensor

    @property
    def hooked(self) -> nn.Module:
        return self.module.get_submodule(self.layer)

    def few(self, count: int) -> "Held":
        return Held(self.module, self.layer, self.turn, self.images[:count], self.classes[:count])


def drawn(method: CamMethod, held: Held, *shape: int) -> Tensor:
    """(N, *shape) normal numbers, of each image's own stream."""
    streams = (DRAWS.stream(place, method) for place in range(len(held.images)))
    return torch.from_numpy(np.stack([stream.standard_normal(shape, np.float32) for stream in streams]))
