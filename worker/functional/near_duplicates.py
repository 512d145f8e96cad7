"""Which of many perceptual hashes belong to pictures that look alike."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MOST_BITS = 4
"""Of 64: copies that were encoded anew or resized differ in fewer, other photographs in many more."""
_BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))
"""First bit and length: of two hashes that differ in four bits, one of the five is equal."""
_REACH = 2000
"""In a band that very many share, each hash is compared with so many behind it."""

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


def groups_of_alike(hashes: Hashes) -> Places:
    """For each of (N,) hashes, the place of the first in its group: (N,) int64.

    Two hashes are in one group where at most ``MOST_BITS`` of their 64 bits differ, or others lead from one to the
    other in such steps. Exact but for bands that more than 2,000 hashes share.
    """
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    parents = np.arange(len(unique))
    for one, other in _alike(unique):
        _join(parents, first, one, other)
    roots = np.array([_root(parents, place) for place in range(len(unique))], dtype=np.int64)
    return first[roots[inverse]]


def _alike(hashes: Hashes) -> Iterator[tuple[int, int]]:
    """Of distinct hashes: pairs in the same band that differ in few bits, by growing distance in the band's order."""
    for start, length in _BANDS:
        band = (hashes >> np.uint64(start)) & np.uint64((1 << length) - 1)
        order = np.argsort(band, kind="stable")
        band = band[order]
        places = np.arange(len(order))
        for distance in range(1, _REACH + 1):
            places = places[: np.searchsorted(places, len(order) - distance)]
            places = places[band[places] == band[places + distance]]
            if not len(places):
                break
            one, other = order[places], order[places + distance]
            close = np.bitwise_count(hashes[one] ^ hashes[other]) <= MOST_BITS
            yield from zip(one[close].tolist(), other[close].tolist(), strict=True)


def _join(parents: Places, first: Places, one: int, other: int) -> None:
    """The group keeps the root that came first."""
    roots = sorted((_root(parents, one), _root(parents, other)), key=lambda root: int(first[root]))
    parents[roots[1]] = roots[0]


def _root(parents: Places, place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = int(parents[place])
    return place
