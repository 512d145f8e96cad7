"""Maps of an audit's subjects, of any few samples in any order: stored with the audit, or where its map sets lie."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import SampleRow, SampleScoresRow
from app.domain.vocabulary import CLEAN, UndefinedReason
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs
from worker.given.lists import NOTHING, MapList
from worker.given.maps import GivenMaps, Points, Values
from worker.results.stored_maps import CLEAN_PLACE, MapOwner, among, largest_map, read_lists
from worker.shards.request import frames_of, job_map_set

Integers = NDArray[np.int64]


class DrawnMaps:
    """Of the samples ``ordinals`` (N,), which are told by their places among these. Subjects count from 0, models
    first."""

    def __init__(self, session: Session, blobs: Ranges, inputs: AuditInputs, ordinals: Integers) -> None:
        self._session = session
        self._blobs = blobs
        self._inputs = inputs
        self._ordinals = ordinals
        self.models = len(inputs.of_models)

    @cached_property
    def _given(self) -> tuple[GivenMaps, ...]:
        row = SampleScoresRow
        query = select(SampleRow).join(row, row.sample_id == SampleRow.id).order_by(row.ordinal)
        query = query.where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0, among(self._ordinals))
        samples = self._session.scalars(query).all()
        frames = frames_of(self._inputs, samples)
        return tuple(
            GivenMaps.of(job_map_set(self._session, one, samples), self._blobs, frames) for one in self._inputs.map_sets
        )

    def maps(self, subject: int, places: Sequence[int]) -> MapList:
        """As they are scored: a map set's whole, however large."""
        if subject < self.models:
            ordinals, own = np.unique(self._ordinals[list(places)], return_inverse=True)
            [stored] = read_lists(self._session, MapOwner(self._inputs.audit.id, subject, ordinals), (CLEAN_PLACE,))
            return stored.of(own.tolist())
        given = self._given[subject - self.models]
        return _list([given.read(place, CLEAN) for place in places], [given.fixations(place) for place in places])


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
