"""Structural similarity (Wang et al. 2004) with the defaults of scikit-image, for batches of 8-bit maps.

Uniform 7 x 7 window, sample covariance, K1 = 0.01, K2 = 0.03, data range 255; only windows inside the map count.
Every window sum of 8-bit values is an integer below 2**24, so float32 sums are exact; the rest is float64.
"""

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from worker.functional.native import WORTH_THREADS, native, share_out
from worker.functional.ssim_constants import C1, C2, WINDOW

_CELLS = WINDOW * WINDOW


@dataclass(frozen=True)
class WindowSums:
    """What a comparison needs of one side: ``maps`` (N, H, W) float32 and its window sums of x and x * x."""

    maps: Tensor
    totals: Tensor
    squares: Tensor


def window_sums(maps: Tensor) -> WindowSums:
    """``maps`` (N, H, W) uint8. Raises ValueError where a side is under 7."""
    if min(maps.shape[-2:]) < WINDOW:
        raise ValueError(f"maps of {maps.shape[-2]} x {maps.shape[-1]} hold no {WINDOW} x {WINDOW} window")
    floats = maps.float()
    return WindowSums(floats, _box(floats), _box(floats * floats))


def structural_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Mean SSIM of two batches of maps (N, H, W) uint8: (N,) float64 in [-1, 1]. Raises ValueError under 7 x 7."""
    if first.shape != second.shape:
        raise ValueError(f"maps of shapes {tuple(first.shape)} and {tuple(second.shape)} cannot be compared")
    if native is not None and first.device.type == "cpu" and min(first.shape[-2:]) >= WINDOW:
        return _native_similarity(first, second)
    return _similarity(window_sums(first), window_sums(second))


def _native_similarity(first: Tensor, second: Tensor) -> Tensor:
    """Each thread takes a run of maps; `native_src/similarity.c` adds up the same sums."""
    out = torch.empty(len(first), dtype=torch.float64)
    height, width = first.shape[1:]
    # Not in the threads: a loop of torch's there would get OpenMP workers of its own, which slow down all others.
    ones, others = first.contiguous().numpy(), second.contiguous().numpy()

    def add_up(part: slice) -> None:
        native.mean_similarity(ones[part], others[part], out[part].numpy(), height, width)

    if ones.size < WORTH_THREADS:
        add_up(slice(None))
    else:
        share_out(add_up, len(first))
    return out


def structural_similarity_within(first: Tensor, second: Tensor, masks: Tensor) -> Tensor:
    """The same over the windows that lie within ``masks`` bool, (N, H, W) or (1, H, W) for all: (N,) float64, NaN where
    none does.
    """
    values = _window_similarity(window_sums(first), window_sums(second))
    whole = (_box(masks.float()) == _CELLS).to(values.device)
    parts = zip(values.chunk(len(whole)), whole, strict=True)
    return torch.cat([part[:, within].mean(1) for part, within in parts])


def pairwise_structural_similarity(maps: Tensor) -> Tensor:
    """SSIM of all pairs i < j of K batches: ``maps`` (K, N, H, W) uint8 -> (K (K - 1) / 2, N) float64."""
    if maps.shape[-2:] == (WINDOW, WINDOW):
        is_native = native is not None and maps.device.type == "cpu"
        return _native_pairs(maps) if is_native else _pairwise_single_window(maps)
    return torch.stack([structural_similarity(first, second) for first, second in combinations(maps, 2)])


def _native_pairs(maps: Tensor) -> Tensor:
    """In `native_src/pairs.c`: too little work to share out."""
    runs = len(maps)
    out = torch.empty(runs * (runs - 1) // 2, maps.shape[1], dtype=torch.float64)
    native.pair_similarities(maps.contiguous().numpy(), out.numpy(), runs)
    return out


def _pairwise_single_window(maps: Tensor) -> Tensor:
    """A 7 x 7 map is one window, so that a Gram matrix an image holds all its pairs: (K (K - 1) / 2, N)."""
    cells = maps.flatten(2).double().transpose(0, 1)
    gram, totals = cells @ cells.mT, cells.sum(2)
    squares = gram.diagonal(dim1=1, dim2=2)
    whole = _formula(
        totals[:, :, None] * totals[:, None, :],
        totals[:, :, None] ** 2 + totals[:, None, :] ** 2,
        squares[:, :, None] + squares[:, None, :],
        gram,
    )
    rows, columns = torch.triu_indices(len(maps), len(maps), 1)
    return whole[:, rows, columns].T


def _similarity(first: WindowSums, second: WindowSums) -> Tensor:
    return _window_similarity(first, second).mean((1, 2))


def _window_similarity(first: WindowSums, second: WindowSums) -> Tensor:
    """(N, H - 6, W - 6)."""
    cross = _box(first.maps * second.maps).double()
    squares = (first.squares + second.squares).double()
    one, other = first.totals.double(), second.totals.double()
    return _formula(one * other, one * one + other * other, squares, cross)


def _formula(product: Tensor, powers: Tensor, squares: Tensor, cross: Tensor) -> Tensor:
    """SSIM from window sums: X Y, X^2 + Y^2, sum(x^2 + y^2) and sum(x y), where X = sum(x)."""
    mean, spread = 1 / _CELLS**2, 1 / (_CELLS * (_CELLS - 1))
    luminance = (product * (2 * mean) + C1) / (powers * mean + C1)
    covariance = (cross * _CELLS - product) * (2 * spread) + C2
    variance = (squares * _CELLS - powers) * spread + C2
    return luminance * covariance / variance


def _box(values: Tensor) -> Tensor:
    """Sums over all 7 x 7 windows inside (N, H, W), by doubling: 1, 2 and 4 make 7."""
    for axis in (1, 2):
        length = values.shape[axis] - WINDOW + 1
        twos = values.narrow(axis, 0, length + 5) + values.narrow(axis, 1, length + 5)
        fours = twos.narrow(axis, 0, length) + twos.narrow(axis, 2, length)
        values = fours + twos.narrow(axis, 4, length) + values.narrow(axis, 6, length)
    return values
