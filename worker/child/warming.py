"""What a process does once, before its sandbox is closed: threads and devices that it keeps."""

from contextlib import suppress

import torch
from torch.nn.functional import conv2d

from worker.engine.transfers import send
from worker.machine.device import compute_exactly

_SIDE = 64
_MORE_THAN_THERE_IS = 2**50


def warm_up(device: torch.device, gpu_memory_share: float) -> None:
    """Starts the threads of a CPU, or the driver and the libraries of a GPU, whose memory it limits."""
    if device.type != "cpu":
        torch.cuda.set_per_process_memory_fraction(gpu_memory_share, device)
        compute_exactly()
        _fail_to_allocate(device)
        send(torch.ones(1), device)  # pinned memory of the host, which the driver maps
    images = torch.ones(8, 3, _SIDE, _SIDE, device=device, requires_grad=True)
    weights = torch.ones(16, 3, 3, 3, device=device)
    found = conv2d(images, weights).relu().mean((2, 3)) @ torch.ones(16, 4, device=device)
    found.sum().backward()  # type: ignore[no-untyped-call]
    # Compiled at its first use, with files that the sandbox would not let it write.
    torch.special.entr(found.detach()).cpu()


def _fail_to_allocate(device: torch.device) -> None:
    """Reporting a shortage asks NVML, which opens a socket at its first use: not allowed within the sandbox."""
    with suppress(torch.OutOfMemoryError):
        torch.empty(_MORE_THAN_THERE_IS, dtype=torch.uint8, device=device)
