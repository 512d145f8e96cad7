"""How fast a model makes salience maps: shard sizes and estimates are cut by it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import nn

from app.domain.models.input_size import InputSize, size_of
from app.domain.vocabulary import CamMethod, DeviceClass
from worker.machine.device import device_class_of
from worker.machine.shortage import is_gpu_shortage
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.salience.input_channels import input_channels

MICRO_BATCH = 8
GPU_MICRO_BATCH = 16
"""The protocol's: on a GPU a pass of few images takes as long as one of many."""
FEWEST, MOST, ENOUGH_SECONDS = 2, 10, 1.0

Pass = Callable[[torch.Tensor], torch.Tensor]
"""What an audit makes of a batch of images."""


@dataclass(frozen=True)
class ModelSpeed:
    """Seconds for the salience of one image: a forward pass, the gradient at the target layer, the map.

    The fastest of a few passes of ``micro_batch`` images, after one that warms up: neighbours only ever slow it down.
    """

    device_class: DeviceClass
    seconds_per_image: float
    micro_batch: int = MICRO_BATCH

    @classmethod
    def measure(
        cls, module: nn.Module, device: torch.device, *, input_size: InputSize, target_layer: str | None
    ) -> Self | None:
        """Moves ``module`` to the device, as an audit would; None where the device has no memory for it."""

        def placed() -> Pass:
            moved = module.to(device).to(memory_format=torch.channels_last)
            hook = TargetHook(moved, input_size=input_size, target_layer=target_layer)
            explainer = make_explainer(CamMethod.GRADCAM, hook)
            return lambda images: explainer.explain(images, None).maps

        return cls.of(placed, device, input_size, input_channels(module))

    @classmethod
    def of(cls, placed: Callable[[], Pass], device: torch.device, input_size: InputSize, channels: int) -> Self | None:
        """Of what ``placed`` has put onto the device; None where that has no memory for it."""
        batch = MICRO_BATCH if device.type == "cpu" else GPU_MICRO_BATCH
        try:
            images = torch.zeros(batch, channels, *size_of(input_size), device=device)
            seconds = _seconds(placed(), images)
        except (RuntimeError, MemoryError) as error:
            if not is_gpu_shortage(error):
                raise
            return None
        return cls(device_class_of(device), min(seconds) / batch, batch)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _seconds(look: Pass, images: torch.Tensor) -> list[float]:
    """Of the passes after the first; a slow model is not asked more often than it takes to know."""
    images = images.contiguous(memory_format=torch.channels_last)
    look(images).cpu()
    taken: list[float] = []
    while len(taken) < FEWEST or (len(taken) < MOST and sum(taken) < ENOUGH_SECONDS):
        begun = time.perf_counter()
        look(images).cpu()  # to fetch what it makes waits for a GPU to finish
        taken.append(time.perf_counter() - begun)
    return taken
