"""Maps side by side, one a sample, each of its own size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.vocabulary import Reasons, UndefinedReason
from worker.functional.similarities import resampled, smallest
from worker.given.maps import Points, Values

MOST_CELLS_AT_ONCE = 2**20
"""Of each list: they are resampled and prepared for all lists at once."""

NOTHING = np.zeros((1, 1), np.float32)
"""Stands where there is no map."""


@dataclass(frozen=True, eq=False)
class MapList:
    """One map (h, w) float32 in [0, 1] a sample, each of its own size, zero where ``reasons`` says that there is none;
    and the fixations (F, 2) that it was made of, None where it was made of none."""

    maps: Sequence[Values]
    reasons: Reasons
    fixations: Sequence[Points | None]

    def part(self, places: range) -> "MapList":
        """Of samples that follow each other."""
        own = slice(places.start, places.stop)
        return MapList(self.maps[own], self.reasons[own], self.fixations[own])


def parts_of(lists: Sequence[MapList]) -> Iterator[range]:
    """Samples that follow each other, so many that no list has more than `MOST_CELLS_AT_ONCE` of them."""
    sizes = zip(*([values.size for values in one.maps] for one in lists), strict=True)
    start, total = 0, 0
    for place, cells in enumerate(map(max, sizes)):
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
