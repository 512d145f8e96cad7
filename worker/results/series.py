"""The series of a comparison: stored scores by sample, averaged over the models that stand together."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditModelRow, AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.measures import ScoreColumn
from app.domain.models.outputs import Output
from app.domain.protocol import Protocol
from app.domain.statistics.aggregates import Floats
from app.domain.summaries.groups import Groups
from app.domain.vocabulary import ACROSS_MODELS, OutputKind
from app.errors import InputFailure
from app.results.score_tables import cluster_codes

FETCH = 5_000
MEMORY_BUDGET = 512 * 1024**2
"""Bytes that the scores of one block of columns, their differences and the bootstrap's copies may take."""


@dataclass(frozen=True)
class Series:
    """Some models of an audit, by their ordinals. Pairings belong to an audit, so a single model has none."""

    audit_id: UUID
    ordinals: tuple[int, ...]
    has_pairings: bool


def read_series(
    session: Session, series: Series, columns: tuple[ScoreColumn, ...], protocol: Protocol, count: int
) -> Floats:
    """(count, V) in sample order: the mean over the series' models, NaN where any of them has no score.

    ``protocol`` is the series' own; ``columns`` may be of one that has fewer views.
    """
    scores = np.full((count, len(columns)), np.nan)
    across = [index for index, column in enumerate(columns) if column.is_pairing]
    of_models = [index for index in range(len(columns)) if index not in across]
    if of_models:
        members = _places([columns[index] for index in of_models], protocol.columns())
        places = [place for own in members for place in own]
        total = sum(
            _means(_stored(session, series.audit_id, ordinal, places=places, count=count), members)
            for ordinal in series.ordinals
        )
        scores[:, of_models] = np.asarray(total) / len(series.ordinals)
    if across and series.has_pairings:
        places = [place for (place,) in _places([columns[index] for index in across], protocol.pairing_columns())]
        scores[:, across] = _stored(session, series.audit_id, ACROSS_MODELS, places=places, count=count)
    return scores


def _places(wanted: list[ScoreColumn], stored: tuple[ScoreColumn, ...]) -> list[tuple[int, ...]]:
    """Where each column lies; of a mean over other views than the stored one's, where its views lie."""
    known = {(column.measure, column.view): place for place, column in enumerate(stored)}
    return [
        (known[column.measure, column.view],)
        if column.conditions == stored[known[column.measure, column.view]].conditions
        else tuple(known[column.measure, view] for view in column.conditions)
        for column in wanted
    ]


def _means(stored: Floats, members: list[tuple[int, ...]]) -> Floats:
    """Of cells side by side, a mean for each of the columns that they are members of."""
    if all(len(own) == 1 for own in members):
        return stored
    ends = np.cumsum([len(own) for own in members])
    return np.stack([stored[:, end - len(own) : end].mean(1) for end, own in zip(ends, members, strict=True)], 1)


def _stored(session: Session, audit_id: UUID, ordinal: int, *, places: list[int], count: int) -> Floats:
    """(count, len(places)) through a server-side cursor; only these cells leave the database.

    Raises InputFailure where there are not as many rows.
    """
    row = SampleScoresRow
    query = select(*(row.scores[place + 1] for place in places)).where(
        row.audit_id == audit_id, row.model_ordinal == ordinal
    )
    scores = np.empty((count, len(places)))
    start = 0
    result = session.execute(query.order_by(row.ordinal).execution_options(yield_per=FETCH))
    for part in result.partitions():
        scores[start : start + len(part)] = np.array([tuple(cells) for cells in part], dtype=np.float64)
        start += len(part)
    if start != count:
        raise InputFailure("audit-deleted", f"The scores of the audit {audit_id} are gone.")
    return scores


def read_groups(session: Session, audit_id: UUID) -> Groups:
    """Label, source and cluster of every sample, in sample order; equal names are one string in memory."""
    query = (
        select(SampleRow.label, SampleRow.source)
        .join(SampleScoresRow, SampleScoresRow.sample_id == SampleRow.id)
        .where(SampleScoresRow.audit_id == audit_id, SampleScoresRow.model_ordinal == 0)
        .order_by(SampleScoresRow.ordinal)
    )
    clusters = cluster_codes(session, session.get_one(AuditRow, audit_id))
    names: dict[str | None, str | None] = {}
    labels: list[str | None] = []
    sources: list[str | None] = []
    for label, source in session.execute(query.execution_options(yield_per=FETCH)):
        labels.append(names.setdefault(label, label))
        sources.append(names.setdefault(source, source))
    return Groups(tuple(labels), tuple(sources), clusters=clusters, several=_has_several_labels(session, audit_id))


def _has_several_labels(session: Session, audit_id: UUID) -> bool:
    """Whether its models, whose outputs are all read alike, tell independent labels."""
    models = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id, AuditModelRow.ordinal == 0)
    return any(Output.of(model.output).kind is OutputKind.MULTILABEL for model in session.scalars(models))


def column_blocks(columns: tuple[ScoreColumn, ...], arrays: int, count: int) -> Iterator[tuple[ScoreColumn, ...]]:
    """Columns in blocks whose ``arrays`` arrays of ``count`` samples fit the budget."""
    width = max(1, MEMORY_BUDGET // (8 * max(1, count) * arrays))
    for start in range(0, len(columns), width):
        yield columns[start : start + width]
