"""Another sample for every sample: the pairing behind controls."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

ALONE = -1


def derangement(groups: Integers, seed: int) -> Integers:
    """For each of N samples another one of its own group, each taken once: a seeded random cycle through each group.

    ``groups`` (N,) are any integers. Returns (N,) indices, `ALONE` where a group has a single sample. It depends on
    the samples' order alone, and so on no shard.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    partners = np.full(len(groups), ALONE, dtype=np.int64)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if members.size > 1:
            cycle = generator.permutation(members)
            partners[cycle] = np.roll(cycle, -1)
    return partners
