"""How fast a model makes salience maps: shard sizes and estimates are cut by it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from app.domain.maps.cam_methods import changed_at_once
from app.domain.models.input_size import InputSize, Size, size_of
from app.domain.vocabulary import CamMethod, DeviceClass
from worker.machine.device import device_class_of
from worker.machine.shortage import is_gpu_shortage
from worker.salience import make_explainer
from worker.salience.bias_layers import bias_channels, seconds_to_enlarge
from worker.salience.hook import TargetHook
from worker.salience.input_channels import input_channels

MICRO_BATCH = 8
GPU_MICRO_BATCH = 16
"""The protocol's: on a GPU a pass of few images takes as long as one of many."""
FEWEST, MOST, ENOUGH_SECONDS = 2, 10, 1.0
HEADS, MOST_OF_HEADS = 16, 3
"""Changed feature maps of one pass at first, and passes that time them."""
MORE_HEADS = 4
"""Times as many, as long as those take less time than the layers before them."""

Pass = Callable[[Tensor], Tensor]
"""What an audit makes of a batch of images."""
Behind = Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]
"""What the layers behind the target layer make of what is made of an image's feature map."""


class Placed(NamedTuple):
    """A model on its device. ``behind`` is None where those layers cannot be run alone, ``bias_channels`` are those of
    which FullGrad enlarges maps, None where it does not go."""

    look: Pass
    behind: Behind | None
    bias_channels: int | None


@dataclass(frozen=True)
class ModelSpeed:
    """Seconds for the salience of one image: a forward pass, the gradient at the target layer, the map; for one changed
    feature map that goes through the layers behind that layer; and for enlarging FullGrad's maps of an image.

    The fastest of a few passes of ``micro_batch`` images, after one that warms up: neighbours only ever slow it down.
    """

    device_class: DeviceClass
    seconds_per_image: float
    micro_batch: int = MICRO_BATCH
    seconds_per_head: float | None = None
    seconds_of_bias_maps: float | None = None

    @classmethod
    def measure(
        cls, module: nn.Module, device: torch.device, *, input_size: InputSize, target_layer: str | None
    ) -> Self | None:
        """Moves ``module`` to the device, as an audit would; None where the device has no memory for it."""

        def placed() -> Placed:
            moved = module.to(device).to(memory_format=torch.channels_last)
            hook = TargetHook(moved, input_size=input_size, target_layer=target_layer)
            explainer = make_explainer(CamMethod.GRADCAM, hook)
            return Placed(lambda images: explainer.explain(images, None).maps, hook.run, bias_channels(module))

        return cls.of(placed, device, input_size, input_channels(module))

    @classmethod
    def of(
        cls, placed: Callable[[], Placed], device: torch.device, input_size: InputSize, channels: int
    ) -> Self | None:
        """Of what ``placed`` has put onto the device; None where that has no memory for it."""
        batch, size = MICRO_BATCH if device.type == "cpu" else GPU_MICRO_BATCH, size_of(input_size)
        try:
            images = torch.zeros(batch, channels, *size, device=device)
            model = placed()
            seconds = min(_seconds(model.look, images, MOST)) / batch
            head = None if model.behind is None else _seconds_per_head(model.behind, images[:1])
        except (RuntimeError, MemoryError) as error:
            if not is_gpu_shortage(error):
                raise
            return None
        return cls(device_class_of(device), seconds, batch, head, _seconds_of_bias_maps(model.bias_channels, size))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _seconds_per_head(behind: Behind, image: Tensor) -> float:
    """What another changed feature map of the image adds to a pass. Where that is little beside the pass, more are
    timed, as many as go through at a time: few would be lost in what passes differ by themselves."""
    most = 1

    def taken(count: int) -> float:
        def look(images: Tensor) -> Tensor:
            def masked(features: Tensor) -> Tensor:
                nonlocal most
                most = changed_at_once(features.shape[1], features[0, 0].numel())
                return _masked(count, features)

            with torch.no_grad():
                return behind(images, masked)

        return min(_seconds(look, image, MOST_OF_HEADS))

    alone, count = taken(1), HEADS
    while (together := taken(count)) < 2 * alone and count < most:
        count = min(most, count * MORE_HEADS)
    return max(0.0, together - alone) / (count - 1)


def _masked(count: int, features: Tensor) -> Tensor:
    """(M, K, h, w) of (1, K, h, w), as methods mask it cell by cell."""
    return features * features.new_ones(count, 1, *features.shape[2:])


def _seconds_of_bias_maps(channels: int | None, size: Size) -> float | None:
    return None if channels is None else channels * seconds_to_enlarge(size)


def _seconds(look: Pass, images: Tensor, most: int) -> list[float]:
    """Of the passes after the first; a slow model is not asked more often than it takes to know."""
    images = images.contiguous(memory_format=torch.channels_last)
    look(images).cpu()
    taken: list[float] = []
    while len(taken) < FEWEST or (len(taken) < most and sum(taken) < ENOUGH_SECONDS):
        begun = time.perf_counter()
        look(images).cpu()  # to fetch what it makes waits for a GPU to finish
        taken.append(time.perf_counter() - begun)
    return taken
