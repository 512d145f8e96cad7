"""The control of agreement with map sets: a subject's map against the given map of another sample."""

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.tables import SampleRow, SampleScoresRow
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.measures import AGREEMENT
from app.domain.measures.agreement import view_of_given
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs
from worker.functional.derangement import ALONE, derangement
from worker.given.agreement import Target, Targets, targets_of
from worker.given.comparing import compared
from worker.given.lists import MOST_CELLS_AT_ONCE
from worker.results.drawn_maps import DrawnMaps, largest_cells
from worker.results.stored_maps import among
from worker.results.where_maps_lie import Partition

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_SAMPLES = 5_000
"""Drawn by seed where an audit has more: of a chance the mean is wanted, not every sample's."""
MOST_COMPARED_CELLS = 2**30
"""Of all pairs of maps together, which take about two minutes."""
FEWEST_SAMPLES = 20
"""Drawn however large their maps are: of fewer a number says nothing."""


class _Asked(NamedTuple):
    """A subject's maps against a target's of the ``partners`` (N,), another sample each."""

    subject: int
    target: Target
    partners: Integers


def chances_of_agreement(session: Session, blobs: Ranges, inputs: AuditInputs) -> dict[int, dict[str, Floats]]:
    """(N,) by subject and view, NaN where a sample was not drawn or has no score.

    Made by the function that makes the scores, each pair of maps at its own size. The other sample is one of the same
    label that has the score as well, by a seeded derangement, so that what one label's images have in common is no sign
    of looking.
    """
    settings = AGREEMENT.settings_in(inputs.protocol.measures)
    if settings is None or not inputs.map_sets:
        return {}
    chances: dict[int, dict[str, Floats]] = {
        place: {
            column.view: np.full(inputs.audit.sample_count, np.nan)
            for column in one.subject.columns(inputs.protocol)
            if column.given is not None
        }
        for place, one in enumerate(inputs.subjects)
    }
    drawn = _Drawn(session, blobs, inputs)
    for of_fixations in (False, True):
        alike = tuple(one for one in settings.similarities if SIMILARITIES[one].of_fixations == of_fixations)
        for subject, view, places, values in drawn.scored(alike):
            chances[subject][view][drawn.ordinals[places]] = values
    return chances


class _Drawn:
    """The samples of an audit that are looked at, in order; ``places`` are theirs among these."""

    def __init__(self, session: Session, blobs: Ranges, inputs: AuditInputs) -> None:
        self._session = session
        self._inputs = inputs
        self._cells = largest_cells(session, inputs)
        self._models, self._map_sets = len(inputs.of_models), len(inputs.map_sets)
        self._subjects = range(self._models + self._map_sets)
        generator = np.random.Generator(np.random.PCG64(inputs.protocol.seed))
        every = generator.permutation(np.arange(inputs.audit.sample_count))
        self.ordinals: Integers = np.sort(every[: self._most()])
        self._maps = DrawnMaps(session, blobs, inputs, self.ordinals)

    def scored(self, similarities: tuple[Similarity, ...]) -> Iterator[tuple[int, str, Integers, Floats]]:
        """Subject, view, places and their chances, by similarities of one kind: another sample that has a map may have
        no fixations."""
        asked = list(self._asked(similarities)) if similarities else []
        size = max(1, MOST_CELLS_AT_ONCE // max(1, *self._cells))
        for start in range(0, len(self.ordinals) if asked else 0, size):
            yield from self._of_block(asked, slice(start, start + size), similarities)

    def _of_block(
        self, asked: Sequence[_Asked], block: slice, similarities: tuple[Similarity, ...]
    ) -> Iterator[tuple[int, str, Integers, Floats]]:
        """Of those of its samples that have a partner. What several ask for is read once."""
        maps = cache(self._maps.maps)
        targets = cache(lambda partners: Targets([maps(place, partners) for place in self._subjects[self._models :]]))
        here, pairs = [], []
        for one in asked:
            places = block.start + np.flatnonzero(one.partners[block] != ALONE)
            if places.size:
                given = targets(tuple(one.partners[places].tolist()))
                here.append((one, places))
                pairs.append(
                    (maps(one.subject, tuple(places.tolist())), given.of(one.target, self._itself(one.subject)))
                )
        for (one, places), by_similarity in zip(here, compared(pairs, similarities), strict=True):
            for similarity, score in by_similarity.items():
                yield one.subject, view_of_given(similarity, one.target), places, score.values

    def _asked(self, similarities: tuple[Similarity, ...]) -> Iterator[_Asked]:
        labels, columns = self._labels, self._inputs.protocol.columns()
        for subject in self._subjects:
            for target in targets_of(self._map_sets, self._itself(subject)):
                views = {view_of_given(one, target) for one in similarities}
                own = [place for place, one in enumerate(columns) if one.given is not None and one.view in views]
                defined = self._have_score(subject, own)
                # Of those that are not defined nobody is a partner.
                partners = derangement(np.where(defined, labels, labels.min(initial=0) - 1), self._inputs.protocol.seed)
                yield _Asked(subject, target, np.where(defined, partners, ALONE))

    def _itself(self, subject: int) -> int | None:
        """Its place among the map sets; None of a model."""
        return subject - self._models if subject >= self._models else None

    def _most(self) -> int:
        """As many as there is time for."""
        given = self._cells[self._models :]
        of_sample = sum(
            min(self._cells[subject], max(given) if target is None else given[target])
            for subject in self._subjects
            for target in targets_of(self._map_sets, self._itself(subject))
        )
        return min(MOST_SAMPLES, max(FEWEST_SAMPLES, MOST_COMPARED_CELLS // max(1, of_sample)))

    @cached_property
    def _labels(self) -> Integers:
        """(N,) as codes, of all samples, so that they do not depend on the draw."""
        row = SampleScoresRow
        query = select(SampleRow.label).join(row, row.sample_id == SampleRow.id)
        of_audit = query.where(row.audit_id == self._inputs.audit.id, row.model_ordinal == 0).order_by(row.ordinal)
        return Partition.of(tuple(self._session.scalars(of_audit))).codes[self.ordinals]

    def _have_score(self, subject: int, columns: Sequence[int]) -> NDArray[np.bool_]:
        """(N,) whether there is one in any of these columns."""
        row = SampleScoresRow
        query = (
            select(or_(*(row.scores[column + 1].is_not(None) for column in columns)))
            .where(row.audit_id == self._inputs.audit.id, row.model_ordinal == subject, among(self.ordinals))
            .order_by(row.ordinal)
        )
        return np.array(self._session.scalars(query).all(), bool)
