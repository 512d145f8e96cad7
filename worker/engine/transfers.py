"""Between the host's memory and a device's, with neither waiting for the other."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

BYTE = torch.uint8


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device; a copy from pinned memory goes on while the host does other things."""
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def fetch(tensors: Sequence[Tensor]) -> Callable[[], list[Tensor]]:
    """A function that waits for these tensors of one device and gives them on the host: one copy for all, begun now."""
    device = tensors[0].device
    if device.type == "cpu":
        return lambda: list(tensors)
    # Numbers of eight bytes first, so that each lies where its type may lie.
    order = sorted(range(len(tensors)), key=lambda place: -tensors[place].element_size())
    packed = torch.cat([tensors[place].reshape(-1).view(BYTE) for place in order])
    host = packed.to("cpu", non_blocking=True)
    arrived = torch.cuda.current_stream(device).record_event()

    def wait() -> list[Tensor]:
        arrived.synchronize()
        parts = torch.split(host, [tensors[place].numel() * tensors[place].element_size() for place in order])
        found = {
            place: part.view(tensors[place].dtype).view(tensors[place].shape)
            for place, part in zip(order, parts, strict=True)
        }
        return [found[place] for place in range(len(tensors))]

    return wait
