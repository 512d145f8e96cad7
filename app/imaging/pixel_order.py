"""The order in which pixels are kept or removed, by salience or cell by cell at random: for audits and for pictures."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int32]

_TIE_BITS = 24


def order_generator(seed: int, sample: str, order: str) -> np.random.Generator:
    """The stream of one sample and order, whatever batch, shard or worker it is computed in."""
    digest = hashlib.sha256(f"{seed}/order/{order}/{sample}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def pixel_ranks(levels: NDArray[np.uint8], generator: np.random.Generator) -> Ranks:
    """Rank of every pixel, 0 for the highest level; equal levels in random order.

    ``levels`` (H, W) uint8, such as a salience map at input resolution. Returns (H, W) int32, each of 0 .. H * W - 1
    once (but for one pair of equal draws in 2**24 pairs, which keeps the order of the pixels).
    """
    draws = generator.integers(0, 1 << _TIE_BITS, levels.size, dtype=np.uint32)
    keys = ((255 - levels.ravel()).astype(np.uint32) << _TIE_BITS) | draws
    ranks = np.empty(levels.size, np.int32)
    ranks[np.argsort(keys, kind="stable")] = np.arange(levels.size, dtype=np.int32)
    return ranks.reshape(levels.shape)


def cell_ranks(cells: tuple[int, int], size: tuple[int, int], generator: np.random.Generator) -> Ranks:
    """Rank of every pixel where the cells of a map come in random order, each whole before the next.

    ``cells`` (h, w) of the map, ``size`` (H, W) of the image. Returns (H, W) int32; pixels of a cell are in order of
    rows.
    """
    places = generator.permutation(cells[0] * cells[1]).reshape(cells)
    rows = np.arange(size[0]) * cells[0] // size[0]
    columns = np.arange(size[1]) * cells[1] // size[1]
    ranks = np.empty(size[0] * size[1], np.int32)
    order = np.argsort(places[rows[:, None], columns].ravel(), kind="stable")
    ranks[order] = np.arange(ranks.size, dtype=np.int32)
    return ranks.reshape(size)


def within_share(ranks: Ranks, share: float) -> NDArray[np.bool_]:
    """Which pixels are the first ``share`` of all, by their ranks (..., H, W)."""
    within: NDArray[np.bool_] = ranks < round(share * ranks.shape[-2] * ranks.shape[-1])
    return within
