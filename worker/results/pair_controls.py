"""The control of stability: the same pairs of runs, one of them on another sample.

Runs that give one map for every image agree on it too: their stability says that the map is fixed, not that they found
the same things in an image.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.domain.models.input_size import InputSize, size_of
from worker.functional.derangement import ALONE, derangement
from worker.functional.map_similarity import map_similarity
from worker.functional.ssim_constants import WINDOW

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

MOST_RESIZED = 200
"""Maps too small for an SSIM window are compared as large as the image: of those, so many are drawn by seed."""
BLOCK = 4_096


def pair_controls(pairs: Sequence[tuple[Bytes, Bytes]], groups: Integers, input_size: InputSize, seed: int) -> Floats:
    """Per sample, the mean over pairs i < j of SSIM(map of run i, map of run j of another sample of the same group).

    ``pairs`` are two arrays (N, h, w) each of 8-bit maps of one size, zero all over where undefined; ``groups`` (N,)
    are the samples' labels as codes, so that what one label's images have in common is no sign of looking. The other
    sample is drawn by a seeded derangement. Returns (N,) float64, NaN where either sample lacks a map in any run, or
    there is no other.
    """
    defined = np.logical_and.reduce([maps.reshape(len(maps), -1).any(1) for pair in pairs for maps in pair])
    partners = derangement(np.where(defined, groups, groups.min(initial=0) - 1), seed)
    usable = defined & (partners != ALONE)
    if any(min(one.shape[1:]) < WINDOW for one, _ in pairs):
        usable &= _drawn(usable, seed)
    controls = np.full(len(groups), np.nan)
    for start in range(0, len(groups), BLOCK):
        here = start + np.flatnonzero(usable[start : start + BLOCK])
        if here.size:
            found = [
                map_similarity(_comparable(one[here], input_size), _comparable(other[partners[here]], input_size))
                for one, other in pairs
            ]
            controls[here] = np.mean(found, axis=0)
    return controls


def _drawn(usable: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(usable), bool)
    places = np.flatnonzero(usable)
    chosen[np.random.Generator(np.random.PCG64(seed)).permutation(places)[:MOST_RESIZED]] = True
    return chosen


def _comparable(levels: Bytes, input_size: InputSize) -> Bytes:
    """As stability compares them: native, or as large as the image where they fill no window."""
    if min(levels.shape[1:]) >= WINDOW:
        return levels
    size = size_of(input_size)[::-1]
    return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BICUBIC)) for one in levels])
