"""The control of agreement with map sets: a subject's map against the given map of another sample."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.domain.measures import AGREEMENT
from app.domain.measures.agreement import view_of_given
from app.domain.similarities import SIMILARITIES, Similarity
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs
from worker.functional.derangement import ALONE
from worker.given.agreement import Target, Targets, targets_of
from worker.given.comparing import compared
from worker.results.drawn_maps import DrawnMaps, largest_cells

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class _Asked(NamedTuple):
    """A subject's maps against a target's of the ``partners`` (N,), another sample each; ``itself`` is its place among
    the map sets, where it is one."""

    subject: int
    itself: int | None
    target: Target
    partners: Integers


class _Scored(NamedTuple):
    """Of the samples at ``places``."""

    subject: int
    view: str
    places: Integers
    values: Floats


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
    chance = _Chance(session, blobs, inputs)
    for of_fixations in (False, True):
        alike = tuple(one for one in settings.similarities if SIMILARITIES[one].of_fixations == of_fixations)
        for subject, view, places, values in chance.scored(alike) if alike else ():
            chances[subject][view][chance.drawn.ordinals[places]] = values
    return chances


class _Chance:
    """Of one audit."""

    def __init__(self, session: Session, blobs: Ranges, inputs: AuditInputs) -> None:
        self._columns = inputs.protocol.columns()
        self._cells = largest_cells(session, inputs)
        self._subjects = range(len(self._cells))
        self._given = self._subjects[len(inputs.of_models) :]
        self.drawn = DrawnMaps(session, blobs, inputs, list(self._cells_of_pairs()))

    def scored(self, similarities: tuple[Similarity, ...]) -> Iterator[_Scored]:
        """By similarities of one kind: another sample that has a map may have no fixations."""
        asked = list(self._asked(similarities))
        for block in self.drawn.blocks(max(self._cells)):
            yield from self._of_block(asked, block, similarities)

    def _of_block(
        self, asked: Sequence[_Asked], block: slice, similarities: tuple[Similarity, ...]
    ) -> Iterator[_Scored]:
        """Of those of its samples that have a partner. What several ask for is read once."""
        maps = cache(self.drawn.maps)
        targets = cache(lambda partners: Targets([maps(place, partners) for place in self._given]))
        here, pairs = [], []
        for one in asked:
            places = block.start + np.flatnonzero(one.partners[block] != ALONE)
            if places.size:
                given = targets(tuple(one.partners[places].tolist()))
                here.append((one, places))
                pairs.append((maps(one.subject, tuple(places.tolist())), given.of(one.target, one.itself)))
        for (one, places), by_similarity in zip(here, compared(pairs, similarities), strict=True):
            for similarity, score in by_similarity.items():
                yield _Scored(one.subject, view_of_given(similarity, one.target), places, score.values)

    def _asked(self, similarities: tuple[Similarity, ...]) -> Iterator[_Asked]:
        for subject, itself, target in self._pairs():
            views = {view_of_given(one, target) for one in similarities}
            own = [place for place, one in enumerate(self._columns) if one.given is not None and one.view in views]
            yield _Asked(subject, itself, target, self.drawn.partners(subject, own))

    def _cells_of_pairs(self) -> Iterator[int]:
        given = [self._cells[place] for place in self._given]
        for subject, _, target in self._pairs():
            yield min(self._cells[subject], max(given) if target is None else given[target])

    def _pairs(self) -> Iterator[tuple[int, int | None, Target]]:
        for subject in self._subjects:
            itself = self._given.index(subject) if subject in self._given else None
            yield from ((subject, itself, target) for target in targets_of(len(self._given), itself))
