"""Samples of an audit that are drawn for controls, and their maps: stored with the audit, or where its map sets lie."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.tables import SampleRow, SampleScoresRow
from app.domain.vocabulary import CLEAN, UndefinedReason
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs
from worker.functional.derangement import ALONE, derangement
from worker.given.lists import MOST_CELLS_AT_ONCE, MapList
from worker.given.maps import GivenMaps, Points, Values
from worker.results.stored_maps import NOTHING, MapOwner, among, largest_map, read_clean_maps
from worker.results.where_maps_lie import Partition
from worker.shards.request import frames_of, job_map_set

Integers = NDArray[np.int64]
MOST_SAMPLES = 5_000
"""Drawn by seed where an audit has more: of a chance the mean is wanted, not every sample's."""
MOST_CELLS = 2**30
"""Of all pairs of maps together, which take about two minutes."""
FEWEST_SAMPLES = 20
"""Drawn however large their maps are: of fewer a number says nothing."""


class DrawnMaps:
    """N samples at ``ordinals``, ascending, which are told by their places among these. Subjects count from 0, models
    first."""

    def __init__(self, session: Session, blobs: Ranges, inputs: AuditInputs, cells: Sequence[int]) -> None:
        """``cells`` are those of each pair of maps that a sample is compared in: as many as there is time for."""
        self._session = session
        self._blobs = blobs
        self._inputs = inputs
        self._models = len(inputs.of_models)
        most = min(MOST_SAMPLES, max(FEWEST_SAMPLES, MOST_CELLS // max(1, sum(cells))))
        generator = np.random.Generator(np.random.PCG64(inputs.protocol.seed))
        self.ordinals: Integers = np.sort(generator.permutation(np.arange(inputs.audit.sample_count))[:most])

    def blocks(self, largest: int) -> Iterator[slice]:
        """Places that follow each other, so many that maps of ``largest`` cells may be in memory."""
        size = max(1, MOST_CELLS_AT_ONCE // max(1, largest))
        return (slice(start, start + size) for start in range(0, len(self.ordinals), size))

    def partners(self, model_ordinal: int, columns: Sequence[int]) -> Integers:
        """(N,) the place of another sample of the same label, by a seeded derangement of those that a row of scores has
        a score of in any of these columns; `ALONE` of all others."""
        defined, labels = self._have_score(model_ordinal, columns), self._labels
        # Of those that are not defined nobody is a partner.
        turned = derangement(np.where(defined, labels, labels.min(initial=0) - 1), self._inputs.protocol.seed)
        return np.where(defined, turned, ALONE)

    def maps(self, subject: int, places: Sequence[int]) -> MapList:
        """In any order, as they are scored: a map set's whole, however large."""
        if subject < self._models:
            stored = read_clean_maps(self._session, self._owner(subject, places))
            found = [stored.get(int(self.ordinals[place])) for place in places]
            return _list(found, [None] * len(found))
        given = self._given[subject - self._models]
        return _list([given.read(place, CLEAN) for place in places], [given.fixations(place) for place in places])

    @cached_property
    def _given(self) -> tuple[GivenMaps, ...]:
        row = SampleScoresRow
        query = select(SampleRow).join(row, row.sample_id == SampleRow.id).order_by(row.ordinal)
        query = query.where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0, among(self.ordinals))
        samples = self._session.scalars(query).all()
        frames = frames_of(self._inputs, samples)
        return tuple(
            GivenMaps.of(job_map_set(self._session, one, samples), self._blobs, frames) for one in self._inputs.map_sets
        )

    @cached_property
    def _labels(self) -> Integers:
        """(N,) as codes, of all samples, so that they do not depend on the draw."""
        row = SampleScoresRow
        query = select(SampleRow.label).join(row, row.sample_id == SampleRow.id)
        of_audit = query.where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0).order_by(row.ordinal)
        return Partition.of(tuple(self._session.scalars(of_audit))).codes[self.ordinals]

    def _have_score(self, model_ordinal: int, columns: Sequence[int]) -> NDArray[np.bool_]:
        row = SampleScoresRow
        query = (
            select(or_(*(row.scores[column + 1].is_not(None) for column in columns)))
            .where(row.audit_id == self._inputs.audit.id, row.model_ordinal == model_ordinal, among(self.ordinals))
            .order_by(row.ordinal)
        )
        return np.array(self._session.scalars(query).all(), bool)

    def _owner(self, subject: int, places: Sequence[int]) -> MapOwner:
        return MapOwner(self._inputs.audit.id, subject, np.sort(self.ordinals[list(places)]))


def largest_cells(session: Session, inputs: AuditInputs) -> tuple[int, ...]:
    """By subject, of its largest map."""
    models = range(len(inputs.of_models))
    stored = (largest_map(session, MapOwner(inputs.audit.id, number, np.arange(1))) for number in models)
    return (*stored, *(one.largest_cells for one in inputs.map_sets))


def _list(maps: Sequence[Values | None], fixations: Sequence[Points | None]) -> MapList:
    reasons = tuple(
        UndefinedReason.NO_MAP if values is None else None if values.any() else UndefinedReason.CONSTANT_MAP
        for values in maps
    )
    return MapList([NOTHING if values is None else values for values in maps], reasons, fixations)
