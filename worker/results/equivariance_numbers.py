"""What equivariance tells once all maps are there: how far the salience moves, and whether it is the image's own."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from app.domain.measures import EQUIVARIANCE
from app.domain.measures.equivariance import CELL_SHIFTS
from app.domain.results.summaries import Summary
from app.domain.statistics.skill import skill
from app.domain.summaries.groups import Groups
from app.domain.vocabulary import GroupBy
from worker.functional.cell_shifts import CellShift, cells_in_both, centre_displacements
from worker.functional.correlation import correlation
from worker.functional.derangement import ALONE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FloatMaps = NDArray[np.float32]


class _OfShifts(TypedDict):
    centre_slope: float | None
    specificity: float | None


class ShiftNumbers:
    """Takes the maps of one shift after the other and keeps sums, a row a sample."""

    def __init__(self, clean: FloatMaps, partners: Integers) -> None:
        """``clean`` (N, h, w) in [0, 1], zero all over where undefined; ``partners`` (N,) another sample of the same
        predicted class, `ALONE` where there is none."""
        self._clean = clean
        self._partners = partners
        zeros = np.zeros(len(clean))
        self._products, self._squares = zeros, zeros.copy()
        self._own, self._others, self._count = zeros.copy(), zeros.copy(), zeros.copy()

    def take(self, shift: CellShift, views: FloatMaps) -> None:
        """``views`` (N, h, w): the maps of the images moved by ``shift`` cells."""
        height, width = self._clean.shape[1:]
        if not shift.fits(height, width):
            return
        sums = centre_displacements(self._clean.astype(np.float64), views.astype(np.float64), shift)
        self._products += sums.products
        self._squares += sums.squares
        before, after = cells_in_both(shift, height, width)
        reference = self._clean[:, before[0], before[1]].astype(np.float64)
        moved = views[:, after[0], after[1]].astype(np.float64)
        own, others = correlation(reference, moved), correlation(reference, moved[self._partners])
        both = ~np.isnan(own) & ~np.isnan(others) & (self._partners != ALONE)
        self._own += np.where(both, own, 0.0)
        self._others += np.where(both, others, 0.0)
        self._count += both

    def row(self, members: Integers, weights: Floats) -> _OfShifts:
        """Of some samples under weights: ``centre_slope``, the regression through the origin of how far the centre of
        mass moved on how far it should have; ``specificity``, the skill of the own map over another sample's."""
        squares, count = (float(weights @ sums[members]) for sums in (self._squares, self._count))
        products, own, others = (float(weights @ sums[members]) for sums in (self._products, self._own, self._others))
        return {
            "centre_slope": products / squares if squares else None,
            "specificity": skill(own / count, others / count) if count else None,
        }


def add_shift_numbers(rows: Sequence[Summary], numbers: ShiftNumbers, groups: Groups, ordinals: Integers) -> None:
    """To the summaries of one model's shifts by whole cells; ``ordinals`` are the samples that ``numbers`` hold."""
    found = {
        (row["group_by"], row["group"]): row
        for row in rows
        if (row["measure"], row["view"]) == (EQUIVARIANCE.name, CELL_SHIFTS)
    }
    for group_by, name, members, weights in _weighted(groups, ordinals):
        if (group_by, name) in found:
            row, own = found[group_by, name], numbers.row(members, weights)
            row["centre_slope"], row["specificity"] = own["centre_slope"], own["specificity"]


def _weighted(groups: Groups, ordinals: Integers) -> Iterator[tuple[str, str, Integers, Floats]]:
    """Places among ``ordinals`` of every group's samples, and their weights; macro: every source alike."""
    everything = np.arange(len(ordinals))
    yield GroupBy.TOTAL, "micro", everything, np.ones(len(ordinals))
    codes = groups.source_codes()[ordinals]
    yield GroupBy.TOTAL, "macro", everything, 1.0 / np.bincount(codes)[codes]
    for kind, name, members in groups.named():
        places = np.flatnonzero(np.isin(ordinals, members))
        yield kind, name, places, np.ones(places.size)
