"""Where tensors live, and how a worker process treats its memory and cores."""

import ctypes
import os
import sys

import torch

from app.domain.vocabulary import DeviceClass

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM_BYTES = 2**31 - 1


def pick_device(wanted: str) -> torch.device:
    """``auto`` takes the GPU where there is one."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def device_class_of(device: torch.device) -> DeviceClass:
    """What decides about a score's last bits, and about the queue that a worker listens to."""
    return DeviceClass.CPU if device.type == "cpu" else DeviceClass.GPU


def use_threads(count: int) -> int:
    """Torch threads of this process; 0 means every core that it may use. Returns the number set."""
    if count < 1:
        count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    torch.set_num_threads(count)
    return count


def keep_heap() -> bool:
    """Let glibc keep freed activations; False where there is no glibc.

    By default it maps, faults and unmaps every block above 32 MB anew at every layer: up to 1.9 times slower.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM_BYTES))
