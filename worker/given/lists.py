"""Maps side by side, one a sample, each of its own size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.domain.vocabulary import Reasons, UndefinedReason
from worker.functional.similarities import resampled, smallest
from worker.given.maps import Points, Values

Integers = NDArray[np.int64]
Size = tuple[int, int]

MOST_CELLS_AT_ONCE = 2**20
"""Of each list: they are resampled and prepared for all lists at once."""

NOTHING = np.zeros((1, 1), np.float32)
"""Stands where there is no map."""

_MORE_THAN_COLUMNS = 2**32
"""So that a size is one number, which sorts at once."""


@dataclass(frozen=True, eq=False)
class MapList:
    """One map (h, w) float32 in [0, 1] a sample, each of its own size, zero where ``reasons`` says that there is none;
    and the fixations (F, 2) that it was made of, None where it was made of none."""

    maps: Sequence[Values]
    reasons: Reasons
    fixations: Sequence[Points | None]

    @cached_property
    def sizes(self) -> Integers:
        """(N, 2): rows and columns of each."""
        return np.array([one.shape for one in self.maps], np.int64).reshape(-1, 2)

    def of(self, places: Sequence[int]) -> "MapList":
        """Of these samples, in any order."""
        return MapList(
            [self.maps[place] for place in places],
            tuple(self.reasons[place] for place in places),
            [self.fixations[place] for place in places],
        )

    def at(self, size: Size, places: Sequence[int]) -> Values:
        """(M, h, w): the maps of these samples by area at a size that is no larger than theirs."""
        found = np.empty((len(places), *size), np.float32)
        for _, here in by_size(self.sizes[list(places)]):
            found[here] = resampled(np.stack([self.maps[places[one]] for one in here.tolist()]), size)
        return found


def by_size(sizes: Integers) -> Iterator[tuple[Size, Integers]]:
    """Every size among (N, 2), with the places (M,) that have it, ascending."""
    codes = sizes[:, 0] * _MORE_THAN_COLUMNS + sizes[:, 1]
    order = np.argsort(codes, kind="stable")
    found, starts = np.unique(codes[order], return_index=True)
    for code, places in zip(found.tolist(), np.split(order, starts[1:]), strict=False):
        yield divmod(code, _MORE_THAN_COLUMNS), places


def parts_of(lists: Sequence[MapList]) -> Iterator[range]:
    """Samples that follow each other, so many that no list has more than `MOST_CELLS_AT_ONCE` of them."""
    largest = np.max([one.sizes.prod(1) for one in lists], axis=0)
    start, total = 0, 0
    for place, cells in enumerate(largest.tolist()):
        if place > start and total + cells > MOST_CELLS_AT_ONCE:
            yield range(start, place)
            start, total = place, 0
        total += cells
    yield range(start, len(lists[0].maps))


def mean_of(lists: Sequence[MapList]) -> MapList:
    """Sample by sample the mean of the maps that there are, at the smallest size of them; their fixations together."""
    samples = range(len(lists[0].maps))
    means = [_mean([one.maps[place] for one in lists if one.reasons[place] is None]) for place in samples]
    points = [[one.fixations[place] for one in lists] for place in samples]
    return MapList(
        [NOTHING if mean is None else mean for mean in means],
        tuple(_why_none(lists, place) if mean is None else None for place, mean in enumerate(means)),
        [_together([one for one in own if one is not None]) for own in points],
    )


def _mean(maps: Sequence[Values]) -> Values | None:
    if not maps:
        return None
    size = smallest(one.shape for one in maps)
    stacked = np.stack([resampled(one[None], size)[0] for one in maps])
    mean: Values = stacked.mean(0, dtype=np.float64).astype(np.float32)
    return mean


def _why_none(lists: Sequence[MapList], place: int) -> UndefinedReason:
    """A constant map is there, though it shows nothing."""
    is_constant = any(one.reasons[place] is UndefinedReason.CONSTANT_MAP for one in lists)
    return UndefinedReason.CONSTANT_MAP if is_constant else UndefinedReason.NO_MAP


def _together(points: Sequence[Points]) -> Points | None:
    return np.concatenate(points) if points else None
