"""Whether FullGrad can be computed: pytorch-grad-cam lays the biases of a network's modules beside the gradients of
what they put out, one by one.
"""

import time

import numpy as np
from torch import nn

from app.domain.models.input_size import Size
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook

_WITH_BIAS = (nn.Conv2d, nn.BatchNorm2d)
"""Of exactly these types, as the library has it."""
_TIMED_MAPS, _CELLS = 64, (7, 7)
"""Fewer stay near the processor, where each takes two thirds of the time: the library has thousands."""
_ROUNDS = 8
"""The first few of a process take twice as long."""


def passes_biases_in_order(hook: TargetHook) -> bool:
    """Whether a pass comes by every convolution and batch norm with a bias once, in the order of the modules, as far as
    numbers of channels tell.
    """
    wanted = _with_bias(hook.module)
    if any(isinstance(part, nn.BatchNorm2d) and part.running_mean is None for part in wanted):
        return False
    passed: list[nn.Module] = []
    handles = [part.register_forward_hook(lambda module, *_: passed.append(module)) for part in wanted]
    try:
        SalienceExtractor(hook).logits(hook.trial_images())
    finally:
        for handle in handles:
            handle.remove()
    return _channels(passed) == _channels(wanted)


def bias_channels(module: nn.Module) -> int:
    """Of each the library makes a map as large as the image."""
    return sum(_channels(_with_bias(module)))


def seconds_to_enlarge(size: Size) -> float:
    """One such map, as the library does it: on the host, by OpenCV, whatever the device."""
    import cv2  # noqa: PLC0415 - 15 MB that most workers never need

    cells = np.random.default_rng(0).random((_TIMED_MAPS, *_CELLS), np.float32)
    taken = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        np.array([cv2.resize((one - one.min()) / one.max(), (size[1], size[0])) for one in cells]).sum(0)
        taken.append(time.perf_counter() - begun)
    return min(taken) / _TIMED_MAPS


def _with_bias(module: nn.Module) -> list[nn.Module]:
    return [part for part in module.modules() if type(part) in _WITH_BIAS and part.bias is not None]


def _channels(parts: list[nn.Module]) -> list[int]:
    return [len(part.bias) for part in parts if isinstance(part, _WITH_BIAS) and part.bias is not None]
