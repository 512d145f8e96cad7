"""An audit's comparisons made again by another similarity, from the stored native maps, block by block."""

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.domain.protocol import Protocol
from app.domain.rescoring import comparable_pairings, comparable_views, left_out
from app.domain.results.documents import Summary
from app.domain.results.rescored import Rescored, RescoredSummary
from app.domain.similarities import SIMILARITIES, Similarity
from app.domain.subjects import Subject
from app.domain.summaries import Groups, ScoreTable, summarise
from app.domain.vocabulary import CLEAN
from app.results.inputs import AuditedSubject, AuditInputs
from app.results.score_tables import cluster_codes, further_groups, read_scores
from worker.functional.similarities import OF_MAPS, MapSimilarity, resampled
from worker.results.stored_maps import FloatMaps, MapOwner, fitting, read_maps


def rescored_document(session: Session, inputs: AuditInputs, similarity: Similarity) -> Rescored:
    """Summaries of every pairing, and of every view that needs no way back."""
    protocol, groups = inputs.protocol, _groups(session, inputs)
    spec, compare = SIMILARITIES[similarity], OF_MAPS[similarity]
    rows = [
        row
        for ordinal, one in enumerate(inputs.of_models)
        if one.subject.beside is None
        for row in _of_views(session, inputs, (ordinal, one), groups, compare)
    ]
    return {
        "title": spec.title,
        "formula": spec.formula,
        "value_range": list(spec.value_range),
        "lower_is_closer": spec.lower_is_closer,
        "left_out": left_out(protocol),
        "summaries": [*rows, *_of_pairings(session, inputs, groups, compare)],
    }


def _groups(session: Session, inputs: AuditInputs) -> Groups:
    stored = read_scores(session, inputs.audit.id, 0)
    further = further_groups(session, inputs.audit)
    return Groups(stored.labels, stored.sources, further, cluster_codes(session, inputs.audit), inputs.mapping.several)


def _blocks(session: Session, inputs: AuditInputs, maps: int) -> Iterator[NDArray[np.int64]]:
    """Of samples, so many maps of each of which fit into memory."""
    every, size = np.arange(inputs.audit.sample_count), fitting(session, inputs.audit, len(inputs.of_models), maps)
    return (every[start : start + size] for start in range(0, len(every), size))


def _of_views(
    session: Session, inputs: AuditInputs, owner: tuple[int, AuditedSubject], groups: Groups, compare: MapSimilarity
) -> list[RescoredSummary]:
    protocol = inputs.protocol
    columns, (ordinal, one) = comparable_views(protocol), owner
    if not columns:
        return []
    conditions = (CLEAN, *protocol.conditions())
    places = [conditions.index(column.conditions[0]) for column in columns]
    scores = np.full((inputs.audit.sample_count, len(columns)), np.nan)
    read = 1 + max(places)
    for block in _blocks(session, inputs, read):
        maps = read_maps(session, MapOwner(inputs.audit.id, ordinal, block), 0, read)
        if maps is not None:
            scores[block] = np.stack([compare(maps[:, 0], maps[:, place]) for place in places], 1)
    model_id = str(one.model.id)
    return _summaries(ScoreTable(model_id, columns, scores, *_blank(scores)), groups, protocol, one.subject)


def _of_pairings(
    session: Session, inputs: AuditInputs, groups: Groups, compare: MapSimilarity
) -> list[RescoredSummary]:
    protocol = inputs.protocol
    columns = comparable_pairings(protocol)
    if not columns:
        return []
    pairings = [pairing for pairing in inputs.pairings if pairing.column in columns]
    wanted = sorted(frozenset[int]().union(*(pairing.members for pairing in pairings)))
    scores = np.full((inputs.audit.sample_count, len(columns)), np.nan)
    for block in _blocks(session, inputs, len(wanted)):
        maps = {place: read_maps(session, MapOwner(inputs.audit.id, place, block), 0, 1) for place in wanted}
        for column, pairing in enumerate(pairings):
            found = [_compared(compare, maps[one], maps[other]) for one, other in pairing.pairs]
            scores[block, column] = np.mean(found, axis=0)
    return _summaries(ScoreTable(None, columns, scores, *_blank(scores)), groups, protocol, None)


def _compared(compare: MapSimilarity, one: FloatMaps | None, other: FloatMaps | None) -> NDArray[np.float64]:
    """At the smaller size of both; nothing where a subject has no maps."""
    if one is None or other is None:
        return np.full(1, np.nan)
    size = (min(one.shape[2], other.shape[2]), min(one.shape[3], other.shape[3]))
    return compare(resampled(one[:, 0], size), resampled(other[:, 0], size))


def _blank(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """No controls, and no flips."""
    return np.full_like(scores, np.nan), np.full_like(scores, np.nan)


def _summaries(table: ScoreTable, groups: Groups, protocol: Protocol, subject: Subject | None) -> list[RescoredSummary]:
    method = None if subject is None else str(subject.salience.method)
    return [_shown(row, method) for row in summarise(table, groups, protocol.seed).rows]


def _shown(row: Summary, method: str | None) -> RescoredSummary:
    """Without what belongs to a measure's own similarity: histogram, control, flips."""
    kept = {name: row[name] for name in RescoredSummary.__annotations__ if name in row}  # type: ignore[literal-required]
    return cast("RescoredSummary", kept | {"method": method})
