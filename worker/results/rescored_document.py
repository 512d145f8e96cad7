"""An audit's comparisons made again by another similarity, from the stored native maps, block by block."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.domain.audits.rescoring import left_out
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.maps.sizes import MOST_CELLS_OF_AUDIT, fitting_size
from app.domain.measures import ScoreColumn
from app.domain.results.rescored import Rescored, RescoredSummary
from app.domain.results.summaries import Summary
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise
from app.results.comparable import AnySubject, Comparable, comparable
from app.results.inputs import AuditedSubject, AuditInputs
from app.results.score_tables import cluster_codes, further_groups, labels_and_sources
from worker.given.comparing import Pair, sizes_met, values_of
from worker.given.lists import MapList, by_size
from worker.results.drawn_maps import largest_cells
from worker.results.stored_maps import MapOwner, fitting, read_lists

Floats = NDArray[np.float64]
Size = tuple[int, int]
MOST_NOTES = 10
COPIES = 4
"""Of the maps: as they come, at one size, and twice as wide as a similarity prepares them."""


def rescored_document(session: Session, inputs: AuditInputs, similarity: Similarity) -> Rescored:
    """Summaries of every pairing, and of every view that needs no way back."""
    rescoring = _Rescoring(session, inputs, similarity)
    for block in rescoring.blocks():
        rescoring.take(block)
    spec = SIMILARITIES[similarity]
    return {
        "title": spec.title,
        "formula": spec.formula,
        "value_range": list(spec.value_range),
        "lower_is_closer": spec.lower_is_closer,
        "left_out": left_out(inputs.protocol),
        "left_out_subjects": list(rescoring.comparable.left_out),
        "notes": list(_notes(similarity, rescoring.sizes)),
        "summaries": list(rescoring.summaries()),
    }


class _Rescoring:
    """One audit by one similarity; ``sizes`` are those at which maps met that were too large for it."""

    def __init__(self, session: Session, inputs: AuditInputs, similarity: Similarity) -> None:
        self._session, self._inputs, self._similarity = session, inputs, similarity
        self.comparable: Comparable = comparable(inputs.protocol, inputs.subjects)
        self.sizes: set[Size] = set()
        count = inputs.audit.sample_count
        self._of_views = {place: np.full((count, len(own)), np.nan) for place, own in self.comparable.views.items()}
        self._of_pairings = np.full((count, len(self.comparable.pairings)), np.nan)
        self._places = {place: self._conditions(place) for place in self.comparable.subjects}

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Of samples, so many maps of all subjects of each of which fit into memory."""
        every = np.arange(self._inputs.audit.sample_count)
        largest = largest_cells(self._session, self._inputs)
        cells = max((min(largest[place], MOST_CELLS_OF_AUDIT) for place in self._places), default=1)
        read = sum(map(len, self._places.values()))
        size = fitting(cells, COPIES * read)
        return (every[start : start + size] for start in range(0, len(every), size))

    def take(self, block: NDArray[np.int64]) -> None:
        """Compare its maps; every list is prepared once for all pairs that it is in."""
        maps = {
            place: dict(
                zip(names, read_lists(self._session, self._owner(place, block), [*names.values()]), strict=True)
            )
            for place, names in self._places.items()
        }
        found = iter(self._compared([*self._pairs(maps)]))
        for place, columns in self.comparable.views.items():
            self._of_views[place][block] = np.stack([next(found) for _ in columns], 1)
        for number, pairs in enumerate(self.comparable.pairings.values()):
            self._of_pairings[block, number] = np.mean([next(found) for _ in pairs], axis=0)

    def summaries(self) -> Iterator[RescoredSummary]:
        """Subject by subject, then of pairings."""
        for place, scores in self._of_views.items():
            yield from self._summaries(self.comparable.views[place], scores, self._inputs.subjects[place])
        if self.comparable.pairings:
            yield from self._summaries(tuple(self.comparable.pairings), self._of_pairings, None)

    def _conditions(self, place: int) -> dict[str, int]:
        """By name, those that are looked at, with their places among what is stored."""
        stored = self._inputs.subjects[place].conditions
        names = [stored[0], *(column.conditions[0] for column in self.comparable.views.get(place, ()))]
        return {name: stored.index(name) for name in dict.fromkeys(names)}

    def _owner(self, place: int, block: NDArray[np.int64]) -> MapOwner:
        return MapOwner(self._inputs.audit.id, place, block)

    def _pairs(self, maps: Mapping[int, Mapping[str, MapList]]) -> Iterator[Pair]:
        for place, columns in self.comparable.views.items():
            clean = next(iter(maps[place].values()))
            yield from ((clean, maps[place][column.conditions[0]]) for column in columns)
        for pairs in self.comparable.pairings.values():
            yield from ((next(iter(maps[one].values())), next(iter(maps[other].values()))) for one, other in pairs)

    def _compared(self, pairs: Sequence[Pair]) -> Iterator[Floats]:
        self.sizes |= too_large(pairs, self._similarity)
        by_similarity = values_of(pairs, (self._similarity,), brought_down=True)
        return (found[self._similarity] for found in by_similarity)

    def _summaries(
        self, columns: tuple[ScoreColumn, ...], scores: Floats, subject: AnySubject | None
    ) -> Iterator[RescoredSummary]:
        inputs, blank = self._inputs, np.full_like(scores, np.nan)  # no controls, and no flips
        model = subject if isinstance(subject, AuditedSubject) else None
        table = ScoreTable(None if model is None else str(model.model.id), columns, scores, blank, blank)
        more = {
            "method": None if model is None else str(model.subject.salience.method),
            "subject": None if subject is None else subject.key,
        }
        for row in summarise(table, self._groups, inputs.protocol.seed).rows:
            yield cast("RescoredSummary", _shown(row) | more)

    @cached_property
    def _groups(self) -> Groups:
        session, inputs = self._session, self._inputs
        labels, sources = labels_and_sources(session, inputs.audit)
        further = further_groups(session, inputs.audit)
        clusters = cluster_codes(session, inputs.audit)
        return Groups(labels, sources, further, clusters, inputs.mapping.several)


def too_large(pairs: Iterable[Pair], similarity: Similarity) -> set[Size]:
    """The sizes at which pairs meet that have more cells than the similarity takes."""
    most = SIMILARITIES[similarity].most_cells
    if most is None:
        return set()
    met = {size for pair in pairs for size, _ in by_size(sizes_met(pair))}
    return {(rows, columns) for rows, columns in met if rows * columns > most}


def _notes(similarity: Similarity, sizes: set[Size]) -> Iterator[str]:
    """Of the smallest sizes."""
    spec = SIMILARITIES[similarity]
    for size in sorted(sizes)[:MOST_NOTES]:
        rows, columns = fitting_size(*size, most=spec.most_cells or 1)
        yield (
            f"{spec.title} compares up to {spec.most_cells} cells: maps of {size[0]} x {size[1]} were brought down to "
            f"{rows} x {columns}, each cell the mean of what it covers."
        )


def _shown(row: Summary) -> dict[str, object]:
    """Without what belongs to a measure's own similarity: histogram, control, flips."""
    return {name: row[name] for name in RescoredSummary.__annotations__ if name in row}  # type: ignore[literal-required]
