"""How the cores of a machine are shared out, asked without torch."""

import os
import sys

from app.domain.vocabulary import DeviceClass

_FEWEST_CORES = 3
_BESIDE_A_GPU = 2
"""Cores for the thread that begins the passes, and for those that make views and scores."""


def core_count(wanted: int) -> int:
    """``wanted``; 0 means every core that this process may use."""
    if wanted > 0:
        return wanted
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def decoder_count(wanted: int | None, cores: int, device_class: DeviceClass) -> int:
    """Processes that decode pictures beside a child's passes; 0: the child decodes them itself, in a thread.

    Beside a GPU, nearly all cores have nothing else to do. On a CPU the passes want all of them: decoders only keep
    them from waiting, which two cores' passes do not.
    """
    if wanted is not None:
        return wanted
    if cores < _FEWEST_CORES:
        return 0
    return cores - _BESIDE_A_GPU if device_class is DeviceClass.GPU else cores // 2
