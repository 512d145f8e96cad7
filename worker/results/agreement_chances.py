"""The control of agreement with map sets: a subject's map against the given map of another sample."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import MapRow, SampleRow, SampleScoresRow
from app.domain.map_sizes import FLOAT_BYTES
from app.domain.measures import AGREEMENT, ScoreColumn
from app.domain.similarities import SIMILARITIES, Similarity
from app.domain.vocabulary import CLEAN
from app.results.inputs import AuditInputs
from worker.functional.derangement import ALONE, derangement
from worker.functional.fixation_scores import OF_FIXATIONS, within
from worker.functional.similarities import OF_MAPS
from worker.results.stored_maps import MOST_BYTES, FloatMaps, MapOwner, read_clean_maps, smallest_size
from worker.results.where_maps_lie import Partition
from worker.shards.frames import seen_frame

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Size = tuple[int, int]

MOST_SAMPLES = 5_000
"""Drawn by seed where an audit has more: of a chance the mean is wanted, not every sample's."""


def chances_of_agreement(session: Session, inputs: AuditInputs) -> dict[int, dict[str, Floats]]:
    """(N,) by subject and view, NaN where a sample was not drawn or either map is missing.

    The other sample is one of the same label, by a seeded derangement, so that what one label's images have in common
    is no sign of looking.
    """
    settings = AGREEMENT.settings_in(inputs.protocol.measures)
    if settings is None or not inputs.map_sets:
        return {}
    reader = _Reader(session, inputs)
    return {
        place: {
            column.view: reader.chance(place, column)
            for column in one.subject.columns(inputs.protocol)
            if column.given is not None
        }
        for place, one in enumerate(inputs.subjects)
    }


class _Reader:
    """Keeps what was read last: the columns of one subject come one after the other."""

    def __init__(self, session: Session, inputs: AuditInputs) -> None:
        self._session = session
        self._inputs = inputs
        self._maps: dict[tuple[int, Size], FloatMaps] = {}

    @cached_property
    def _ordinals(self) -> Integers:
        every = np.arange(self._inputs.audit.sample_count)
        generator = np.random.Generator(np.random.PCG64(self._inputs.protocol.seed))
        return np.sort(generator.permutation(every)[:MOST_SAMPLES])

    @cached_property
    def _labels(self) -> Integers:
        row = SampleScoresRow
        query = select(SampleRow.label).join(row, row.sample_id == SampleRow.id)
        of_audit = query.where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0).order_by(row.ordinal)
        labels = Partition.of(tuple(self._session.scalars(of_audit))).codes
        return labels[self._ordinals]

    def chance(self, subject: int, column: ScoreColumn) -> Floats:
        """Of one subject and view."""
        chances = np.full(self._inputs.audit.sample_count, np.nan)
        if column.given is None:
            return chances
        targets = self._targets(subject, column.given.map_set)
        similarity = column.given.similarity
        of_fixations = SIMILARITIES[similarity].of_fixations
        found = (self._by_fixations if of_fixations else self._by_maps)(subject, targets, similarity)
        chances[self._ordinals[: len(found)]] = found
        return chances

    def _targets(self, subject: int, map_set: int | None) -> tuple[int, ...]:
        models = len(self._inputs.of_models)
        places = range(models, models + len(self._inputs.given))
        return tuple(place for place in places if (place != subject if map_set is None else place == models + map_set))

    def _by_maps(self, subject: int, targets: Sequence[int], similarity: Similarity) -> Floats:
        """At the smallest size of all of their maps."""
        spec, size = SIMILARITIES[similarity], self._size((subject, *targets))
        nothing = np.full(len(self._ordinals), np.nan)
        if size is None or min(size) < spec.fewest_rows or (spec.most_cells and size[0] * size[1] > spec.most_cells):
            return nothing
        own = self._read(subject, size)
        given = _mean([self._read(target, size) for target in targets])
        partners = self._partners(_are_there(own) & _are_there(given))
        usable = partners != ALONE
        nothing = nothing[: len(own)]
        nothing[usable] = OF_MAPS[similarity](own[usable], given[partners[usable]])
        return nothing

    def _by_fixations(self, subject: int, targets: Sequence[int], similarity: Similarity) -> Floats:
        size = self._size((subject,))
        chances = np.full(len(self._ordinals), np.nan)
        if size is None:
            return chances
        own, points = self._read(subject, size), self._fixations(targets)
        there = np.array([len(one) > 0 for one in points])[: len(own)]
        partners = self._partners(_are_there(own) & there)
        for place in np.flatnonzero(partners != ALONE).tolist():
            chances[place] = OF_FIXATIONS[similarity](own[place], points[partners[place]])
        return chances[: len(own)]

    def _partners(self, defined: NDArray[np.bool_]) -> Integers:
        """Of those that are not defined nobody is a partner."""
        labels = self._labels[: len(defined)]
        partners = derangement(np.where(defined, labels, labels.min(initial=0) - 1), self._inputs.protocol.seed)
        return np.where(defined, partners, ALONE)

    def _size(self, subjects: Sequence[int]) -> Size | None:
        sizes = [smallest_size(self._session, self._owner(place, self._ordinals)) for place in subjects]
        known = [one for one in sizes if one is not None]
        if len(known) < len(sizes):
            return None
        return min(rows for rows, _ in known), min(columns for _, columns in known)

    def _read(self, subject: int, size: Size) -> FloatMaps:
        """Of the first samples that fit into memory."""
        if (subject, size) not in self._maps:
            if len(self._maps) > len(self._inputs.given) + 1:
                self._maps.clear()
            most = max(1, MOST_BYTES // (size[0] * size[1] * FLOAT_BYTES * (len(self._inputs.given) + 2)))
            owner = self._owner(subject, self._ordinals[:most])
            self._maps[subject, size] = read_clean_maps(self._session, owner, size)
        return self._maps[subject, size]

    def _owner(self, subject: int, ordinals: Integers) -> MapOwner:
        return MapOwner(self._inputs.audit.id, subject, ordinals)

    def _fixations(self, targets: Sequence[int]) -> list[NDArray[np.float64]]:
        """Of the drawn samples, those of all targets together, as shares of what models see."""
        map_sets = (self._inputs.subjects[place].map_set for place in targets)
        wanted = [one.id for one in map_sets if one is not None]
        row = SampleScoresRow
        query = (
            select(row.ordinal, MapRow.fixations, SampleRow.width, SampleRow.height)
            .join(MapRow, MapRow.sample_id == row.sample_id)
            .join(SampleRow, SampleRow.id == row.sample_id)
            .where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0, MapRow.map_set_id.in_(wanted))
            .where(MapRow.view == CLEAN, MapRow.fixations.is_not(None))
        )
        found: dict[int, list[Floats]] = {}
        for ordinal, points, width, height in self._session.execute(query):
            frame = seen_frame(self._inputs.models, (width or 1, height or 1))
            found.setdefault(ordinal, []).append(within(np.array(points).reshape(-1, 2), frame))
        return [np.concatenate(found.get(ordinal, [np.empty((0, 2))])) for ordinal in self._ordinals.tolist()]


def _mean(maps: Sequence[FloatMaps]) -> FloatMaps:
    """Sample by sample of those that there are, as the scores have it; zero all over where there are none."""
    total, there = np.zeros_like(maps[0]), np.zeros(len(maps[0]), np.float32)
    for one in maps:
        total += one
        there += _are_there(one)
    return (total / np.maximum(there, 1)[:, None, None]).astype(np.float32)


def _are_there(maps: FloatMaps) -> NDArray[np.bool_]:
    """(N,) whether there is any salience."""
    return np.asarray(maps.reshape(len(maps), -1).any(1))
