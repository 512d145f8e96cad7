"""Where tensors live, and how a worker process treats its memory and cores."""

import ctypes

import torch

from app.domain.vocabulary import DeviceClass
from worker.machine.cores import core_count

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM_BYTES = 2**31 - 1


def pick_device(wanted: str) -> torch.device:
    """``auto`` takes the GPU where there is one.

    A GPU has its number: what limits a device's memory takes none without.
    """
    found = torch.device(wanted if wanted != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(found.type, 0) if found.type != "cpu" and found.index is None else found


def compute_exactly() -> None:
    """On a GPU: IEEE float32 instead of TF32, whose error of 1e-3 moves maps, and algorithms that repeat their bits.

    ``CUBLAS_WORKSPACE_CONFIG`` must be set before (worker.supervision.environment).
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)


def device_class_of(device: torch.device) -> DeviceClass:
    """What decides about a score's last bits, and about the queue that a worker listens to."""
    return DeviceClass.CPU if device.type == "cpu" else DeviceClass.GPU


def use_threads(count: int) -> int:
    """Torch threads of this process; 0 means every core that it may use. Returns the number set."""
    count = core_count(count)
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
