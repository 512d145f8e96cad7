"""Pillow's bicubic resize of 8-bit images, bit for bit, on any device.

Pillow's fixed-point arithmetic: weights of 22 bits, horizontal pass first, rounded and clipped to 8 bits between the
passes.
"""

from functools import lru_cache, reduce
from operator import add

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.functional.native import WORTH_THREADS, native, share_out

_PRECISION_BITS = 22
_SUPPORT = 2.0
_A = -0.5


def resize_bicubic_8bit(maps: Tensor, size: int | tuple[int, int]) -> Tensor:
    """``maps`` (N, h, w) uint8 -> (N, H, W) uint8, equal to ``Image.resize((W, H), BICUBIC)``.

    Pillow 13 swaps the passes where it finds that cheaper, for some maps taller than both ``size`` and their width:
    only there may values differ.
    """
    sides = (size, size) if isinstance(size, int) else size
    if native is None or maps.device.type != "cpu" or not isinstance(size, int):
        return _by_torch(maps, sides)
    count, height, width = maps.shape
    across, down = _integers(width, size).T.copy(), _integers(height, size)
    pixels, out = maps.contiguous().numpy(), np.empty((count, size, size), np.uint8)

    def work(part: slice) -> None:
        native.resize(pixels[part], across, down, out[part], size)

    if out.size < WORTH_THREADS:
        work(slice(None))
    else:
        share_out(work, count)
    return torch.from_numpy(out)


@lru_cache(maxsize=64)
def _integers(length: int, size: int) -> NDArray[np.int32]:
    return _weights(length, size, torch.device("cpu")).numpy().astype(np.int32)


def _by_torch(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """``size``: height and width. Products of integers this small are exact in float64."""
    height, width = size
    horizontal = _weights(maps.shape[2], width, maps.device)
    vertical = _weights(maps.shape[1], height, maps.device)
    rows = _to_8_bits(maps.double() @ horizontal.mT)
    return _to_8_bits(vertical @ rows).to(torch.uint8)


def _to_8_bits(products: Tensor) -> Tensor:
    half = 1 << (_PRECISION_BITS - 1)
    return products.add_(half).mul_(1 / (1 << _PRECISION_BITS)).floor_().clamp_(0, 255)


@lru_cache(maxsize=64)
def _weights(length: int, size: int, device: torch.device) -> Tensor:
    """(size, length) float64 of integers: how much every input adds to every output, times 2**22."""
    scale = length / size
    stretch = max(scale, 1.0)
    matrix = torch.zeros(size, length, dtype=torch.float64)
    for place in range(size):
        centre = (place + 0.5) * scale
        first = max(int(centre - _SUPPORT * stretch + 0.5), 0)
        last = min(int(centre + _SUPPORT * stretch + 0.5), length)
        weights = [_bicubic((cell - centre + 0.5) * (1 / stretch)) for cell in range(first, last)]
        # Added one by one, as in C: `sum` compensates rounding from Python 3.12 on.
        total = reduce(add, weights)
        for cell, weight in zip(range(first, last), weights, strict=True):
            scaled = weight / total * (1 << _PRECISION_BITS)
            matrix[place, cell] = int(scaled + 0.5) if scaled >= 0 else int(scaled - 0.5)
    return matrix.to(device)


def _bicubic(distance: float) -> float:
    """Keys (1981) with a = -0.5."""
    x = abs(distance)
    if x < 1:
        return ((_A + 2) * x - (_A + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * _A if x < _SUPPORT else 0.0
