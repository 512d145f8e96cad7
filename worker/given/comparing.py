"""Maps of any size compared two by two, by every similarity that there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.maps.sizes import fitting_size
from app.domain.maps.undefined import reasons_of
from app.domain.vocabulary import Reasons, UndefinedReason
from worker.functional.fixation_scores import OF_FIXATIONS
from worker.functional.similarities import OF_MAPS, smallest, varies
from worker.given.lists import Integers, MapList, Size, by_size
from worker.given.maps import Points, Values

Floats = NDArray[np.float64]
Places = tuple[int, ...]
Pair = tuple[MapList, MapList]
"""What is compared, and what it is compared with."""


@dataclass(frozen=True)
class Compared:
    """Two lists by one similarity: ``values`` (N,), NaN where ``reasons`` says why there is none."""

    values: Floats
    reasons: Reasons


def compared(pairs: Sequence[Pair], wanted: Sequence[Similarity]) -> list[dict[Similarity, Compared]]:
    """Of every pair, each sample's two maps as `values_of` compares them, or why they are not; where fixations are what
    is compared with, at the first map's own size."""
    values = values_of(pairs, [one for one in wanted if not SIMILARITIES[one].of_fixations])
    reasons = [reasons_of(own.reasons, other.reasons) for own, other in pairs]
    return [
        {one: _by_fixations(pair, one) if one not in found else _told(pair, missing, one, found[one]) for one in wanted}
        for pair, missing, found in zip(pairs, reasons, values, strict=True)
    ]


def values_of(
    pairs: Sequence[Pair], wanted: Sequence[Similarity], *, brought_down: bool = False
) -> list[dict[Similarity, Floats]]:
    """Of every pair (N,), each sample's two maps at the smaller size of both, the larger one resampled by area;
    ``brought_down``: at the size that the similarity takes, where that is smaller still. NaN where there is no score.

    A list that stands in several pairs is resampled and prepared once, and is in memory as float64 until the next
    similarity.
    """
    sizes = [_by_size(pair) for pair in pairs]
    values: list[dict[Similarity, Floats]] = [
        {one: np.full(len(own.maps), np.nan) for one in wanted} for own, _ in pairs
    ]
    stacked = cache(MapList.at)
    for similarity in wanted:
        sides = _Sides(similarity, stacked)
        for pair, own, found in zip(pairs, sizes, values, strict=True):
            for size, places in own.items():
                fit = _fit(size, similarity) if brought_down else size
                found[similarity][list(places)] = sides.compare(pair, fit, places)
    return values


def sizes_met(pair: Pair) -> Integers:
    """(N, 2): of every sample the least rows and the least columns of its two maps."""
    own, other = pair
    return np.minimum(own.sizes, other.sizes)


def joined(parts: Sequence[Compared]) -> Compared:
    """Of samples that follow each other."""
    return Compared(
        np.concatenate([one.values for one in parts]), tuple(reason for one in parts for reason in one.reasons)
    )


class _Sides:
    """Lists as one similarity compares them."""

    def __init__(self, similarity: Similarity, stacked: Any) -> None:
        self._similarity = similarity
        self._stacked = stacked
        self._prepared = cache(self._prepare)
        self._scores = cache(self._compare)

    def compare(self, pair: Pair, size: Size, places: Places) -> Floats:
        """(len(places),), NaN where the maps are too small or too large, or one is constant at that size."""
        if _unfit(size, self._similarity) is not None:
            return np.full(len(places), np.nan)
        ordered = sorted(pair, key=id) if OF_MAPS[self._similarity].symmetric else pair
        return self._scores(*ordered, size, places)

    def _compare(self, one: MapList, other: MapList, size: Size, places: Places) -> Floats:
        (first, here), (second, there) = (self._prepared(side, size, places) for side in (one, other))
        return OF_MAPS[self._similarity].of_prepared(first, second, here & there)

    def _prepare(self, one: MapList, size: Size, places: Places) -> tuple[Any, NDArray[np.bool_]]:
        maps = self._stacked(one, size, places)
        return OF_MAPS[self._similarity].prepare(maps), varies(maps)


def _by_size(pair: Pair) -> Mapping[Size, Places]:
    """Pairs of one size are compared at once. Samples that lack a map are among them, so that a list meets all others
    with the same samples: it is constant there, and has no score."""
    return {size: tuple(places.tolist()) for size, places in by_size(sizes_met(pair))}


def _told(pair: Pair, reasons: Reasons, similarity: Similarity, values: Floats) -> Compared:
    """A map that was not constant may be so at the smaller size."""
    why = [
        reason or (_why_none(pair, place, similarity) if missing else None)
        for place, (reason, missing) in enumerate(zip(reasons, np.isnan(values).tolist(), strict=True))
    ]
    return Compared(values, tuple(why))


def _why_none(pair: Pair, place: int, similarity: Similarity) -> UndefinedReason:
    size = smallest(one.maps[place].shape for one in pair)
    unfit = _unfit(size, similarity)
    if unfit is not None:
        return unfit
    is_own = not varies(pair[0].at(size, (place,)))[0]
    return UndefinedReason.CONSTANT_MAP if is_own else UndefinedReason.CONSTANT_VIEW_MAP


def _fit(size: Size, similarity: Similarity) -> Size:
    most = SIMILARITIES[similarity].most_cells
    return size if most is None else fitting_size(*size, most=most)


def _unfit(size: Size, similarity: Similarity) -> UndefinedReason | None:
    spec = SIMILARITIES[similarity]
    if min(size) < spec.fewest_rows:
        return UndefinedReason.MAP_TOO_SMALL
    too_large = spec.most_cells is not None and size[0] * size[1] > spec.most_cells
    return UndefinedReason.MAP_TOO_LARGE if too_large else None


def _by_fixations(pair: Pair, similarity: Similarity) -> Compared:
    own, other = pair
    found = [
        (np.nan, reason) if reason is not None else _at_fixations(values, points, similarity)
        for values, reason, points in zip(own.maps, own.reasons, other.fixations, strict=True)
    ]
    return Compared(np.array([value for value, _ in found]), tuple(reason for _, reason in found))


def _at_fixations(
    values: Values, points: Points | None, similarity: Similarity
) -> tuple[float, UndefinedReason | None]:
    if points is None or not len(points):
        return np.nan, UndefinedReason.NO_FIXATIONS
    score = OF_FIXATIONS[similarity](values, points)
    # The map is not constant: what is left is that AUC-Judd finds no cell that nobody looked at.
    return score, UndefinedReason.NO_CELL_WITHOUT_FIXATION if np.isnan(score) else None
