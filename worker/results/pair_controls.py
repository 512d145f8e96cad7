"""The control of stability: the same pairs of runs, one of them on another sample.

Runs that give one map for every image agree on it too: their stability says that the map is fixed, not that they found
the same things in an image.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.models.input_size import InputSize, size_of
from worker.functional.derangement import ALONE, derangement
from worker.functional.map_similarity import Windows, similarity_of_windows, windows_of
from worker.functional.ssim_constants import WINDOW

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Run = TypeVar("Run", bound=Hashable)
"""What tells the maps of one from those of others."""

MOST_RESIZED = 200
"""Maps too small for an SSIM window are compared as large as the image: of those, so many are drawn by seed."""
CELLS_AT_ONCE = 2**22
"""Of all runs together: each costs eight bytes and more on either side of its pairs."""


def pair_controls(
    maps: Mapping[Run, Bytes], pairs: Sequence[tuple[Run, Run]], groups: Integers, input_size: InputSize, seed: int
) -> Floats:
    """Per sample, the mean over pairs i < j of SSIM(map of run i, map of run j of another sample of the same group).

    ``maps`` of each run are (N, h, w) and of 8 bits, those of a pair of one size; zero all over where undefined.
    ``groups`` (N,) are the samples' labels as codes, so that what one label's images have in common is no sign of
    looking. The other sample is drawn by a seeded derangement. Returns (N,) float64, NaN where either sample lacks a
    map in any run, or there is no other.
    """
    defined = np.logical_and.reduce([own.reshape(len(own), -1).any(1) for own in maps.values()])
    partners = derangement(np.where(defined, groups, groups.min(initial=0) - 1), seed)
    usable = defined & (partners != ALONE)
    if any(min(own.shape[1:]) < WINDOW for own in maps.values()):
        usable &= _drawn(usable, seed)
    controls = np.full(len(groups), np.nan)
    for here in _blocks(np.flatnonzero(usable), maps, input_size):
        controls[here] = np.mean(_compared(maps, pairs, (here, partners[here]), input_size), axis=0)
    return controls


def _blocks(usable: Integers, maps: Mapping[Run, Bytes], input_size: InputSize) -> Iterator[Integers]:
    """So many samples that the windows of all runs fit into memory, twice each."""
    cells = sum(prod(_compared_size(own, input_size)) for own in maps.values())
    size = max(1, CELLS_AT_ONCE // max(1, cells))
    return (usable[start : start + size] for start in range(0, len(usable), size))


def _compared(
    maps: Mapping[Run, Bytes], pairs: Sequence[tuple[Run, Run]], samples: tuple[Integers, Integers], size: InputSize
) -> list[Floats]:
    """A run's maps are made ready once for all pairs that it is in, on either side."""

    @cache
    def windows(run: Run, side: int) -> Windows:
        return windows_of(_comparable(maps[run][samples[side]], size))

    return [similarity_of_windows(windows(one, 0), windows(other, 1)) for one, other in pairs]


def _drawn(usable: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(usable), bool)
    places = np.flatnonzero(usable)
    chosen[np.random.Generator(np.random.PCG64(seed)).permutation(places)[:MOST_RESIZED]] = True
    return chosen


def _compared_size(maps: Bytes, input_size: InputSize) -> tuple[int, int]:
    """As stability compares them: native, or as large as the image where they fill no window."""
    _, rows, columns = maps.shape
    return (rows, columns) if min(rows, columns) >= WINDOW else size_of(input_size)


def _comparable(levels: Bytes, input_size: InputSize) -> Bytes:
    size = _compared_size(levels, input_size)
    if levels.shape[1:] == size:
        return levels
    return np.stack([np.asarray(Image.fromarray(one).resize(size[::-1], Image.Resampling.BICUBIC)) for one in levels])
