"""What a process does once, before its walls are closed: threads and devices that it keeps."""

import torch
from torch.nn.functional import conv2d

_SIDE = 64


def warm_up(device: torch.device, gpu_memory_share: float) -> None:
    """Starts the threads of a CPU, or the driver and the libraries of a GPU, whose memory it limits."""
    if device.type != "cpu":
        torch.cuda.set_per_process_memory_fraction(gpu_memory_share, device)
    images = torch.ones(8, 3, _SIDE, _SIDE, device=device, requires_grad=True)
    weights = torch.ones(16, 3, 3, 3, device=device)
    found = conv2d(images, weights).relu().mean((2, 3)) @ torch.ones(16, 4, device=device)
    found.sum().backward()  # type: ignore[no-untyped-call]
    found.detach().cpu()
