"""Maps of any size compared two by two, by every similarity that there is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from app.domain.similarities import SIMILARITIES, Similarity
from app.domain.vocabulary import UndefinedReason
from worker.functional.fixation_scores import OF_FIXATIONS
from worker.functional.similarities import OF_MAPS, resampled
from worker.measures.base import Score, reasons_of
from worker.salience.maps import Reasons, SalienceMaps

Values = NDArray[np.float32]
Points = NDArray[np.float64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MapList:
    """One map (h, w) float32 in [0, 1] a sample, each of its own size, zero where ``reasons`` says that there is none;
    and the fixations (F, 2) that it was made of, None where it was made of none."""

    maps: Sequence[Values]
    reasons: Reasons
    fixations: Sequence[Points | None]


def map_list(maps: SalienceMaps) -> MapList:
    """Of maps that a model gave."""
    native = maps.native.numpy()
    return MapList(list(native), maps.reasons, [None] * len(native))


def at_one_size(maps: Sequence[SalienceMaps]) -> list[SalienceMaps]:
    """The maps of several subjects for the same samples, at their smallest size; those of one size as they are."""
    sizes = {tuple(one.native.shape[1:]) for one in maps}
    if len(sizes) == 1:
        return list(maps)
    size = min(rows for rows, _ in sizes), min(columns for _, columns in sizes)
    return [replace(one, native=torch.from_numpy(resampled(one.native.numpy(), size)), _shared={}) for one in maps]


def compared(own: MapList, given: MapList, wanted: Iterable[Similarity]) -> dict[Similarity, Score]:
    """Each sample's two maps at the smaller size of both, the larger one resampled by area; by each similarity.

    Where fixations are what is compared with, at the first map's own size.
    """
    pairs = [_at_smaller(one, other) for one, other in zip(own.maps, given.maps, strict=True)]
    reasons = reasons_of(own.reasons, given.reasons)
    return {
        one: _by_fixations(own, given, OF_FIXATIONS[one])
        if SIMILARITIES[one].of_fixations
        else _by_maps(pairs, reasons, one)
        for one in wanted
    }


def mean_of(lists: Sequence[MapList]) -> MapList:
    """Sample by sample the mean of the maps that there are, at the smallest size of them; their fixations together."""
    samples = range(len(lists[0].maps))
    means = [_mean([one.maps[place] for one in lists if one.reasons[place] is None]) for place in samples]
    points = [[one.fixations[place] for one in lists] for place in samples]
    return MapList(
        [np.zeros((1, 1), np.float32) if mean is None else mean for mean in means],
        tuple(UndefinedReason.NO_MAP if mean is None else None for mean in means),
        [_together([one for one in own if one is not None]) for own in points],
    )


def _mean(maps: Sequence[Values]) -> Values | None:
    if not maps:
        return None
    size = min(one.shape[0] for one in maps), min(one.shape[1] for one in maps)
    stacked = np.stack([resampled(one[None], size)[0] for one in maps])
    mean: Values = stacked.mean(0, dtype=np.float64).astype(np.float32)
    return mean


def _together(points: Sequence[Points]) -> Points | None:
    return np.concatenate(points) if points else None


def _at_smaller(one: Values, other: Values) -> tuple[Values, Values]:
    size = min(one.shape[0], other.shape[0]), min(one.shape[1], other.shape[1])
    return resampled(one[None], size)[0], resampled(other[None], size)[0]


def _by_maps(pairs: Sequence[tuple[Values, Values]], reasons: Reasons, similarity: Similarity) -> Score:
    """Pairs of one size are compared at once."""
    scores, found = np.full(len(pairs), np.nan), list(reasons)
    by_size: dict[tuple[int, ...], list[int]] = {}
    for place, (one, _) in enumerate(pairs):
        found[place] = found[place] or _unfit(one.shape, similarity)
        if found[place] is None:
            by_size.setdefault(one.shape, []).append(place)
    for places in by_size.values():
        sides = (np.stack([pairs[place][side] for place in places]) for side in (0, 1))
        scores[places] = OF_MAPS[similarity](*sides)
    return _score(scores, found)


def _by_fixations(own: MapList, given: MapList, compare: Callable[[Values, Points], float]) -> Score:
    points = [np.empty((0, 2)) if one is None else one for one in given.fixations]
    reasons = [
        reason or (None if len(one) else UndefinedReason.NO_FIXATIONS)
        for reason, one in zip(own.reasons, points, strict=True)
    ]
    scores = [
        np.nan if reason else compare(values, one)
        for values, one, reason in zip(own.maps, points, reasons, strict=True)
    ]
    return _score(np.array(scores, np.float64), reasons)


def _score(scores: Floats, reasons: Iterable[UndefinedReason | None]) -> Score:
    """A map that was not constant may be so at the smaller size."""
    known = zip(reasons, np.isnan(scores).tolist(), strict=True)
    return Score(
        torch.from_numpy(np.nan_to_num(scores)),
        tuple(reason or (UndefinedReason.CONSTANT_MAP if missing else None) for reason, missing in known),
    )


def _unfit(shape: tuple[int, ...], similarity: Similarity) -> UndefinedReason | None:
    spec = SIMILARITIES[similarity]
    if min(shape) < spec.fewest_rows:
        return UndefinedReason.MAP_TOO_SMALL
    too_large = spec.most_cells is not None and shape[0] * shape[1] > spec.most_cells
    return UndefinedReason.MAP_TOO_LARGE if too_large else None
