"""Stored scores of one model of an audit, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.tables import AuditRow, SampleRow, SampleScoresRow
from app.domain.measures import ScoreColumn
from app.domain.models.outputs import CLASSES, Output
from app.domain.protocol import Protocol
from app.domain.statistics.aggregates import Floats, Integers
from app.domain.summaries.score_table import ScoreTable
from app.domain.vocabulary import CLEAN, OutputKind
from app.results.binary_arrays import decoded

CHUNK_ROWS = 1000


@dataclass(frozen=True)
class StoredScores:
    """N samples in order, V columns, C conditions; NaN where undefined, -1 where nothing was predicted.

    ``class_scores`` (N, C * L), ``pairs`` (N, K (K - 1) / 2); arrays that a row does not have are (N, 0).
    ``map_side`` is the shorter side of the native maps. While nothing is stored, N is 0.
    """

    labels: tuple[str | None, ...]
    sources: tuple[str | None, ...]
    scores: Floats
    controls: Floats
    predicted: Integers
    class_scores: Floats
    pairs: Floats
    map_side: int

    def table(
        self,
        model_id: str,
        protocol: Protocol,
        output: Output = CLASSES,
        chances: Mapping[str, Floats] | None = None,
    ) -> ScoreTable:
        """With the share of each column's conditions in which the prediction differs from the clean one.

        ``chances`` (N,) by view are controls that only all samples' maps give.
        """
        columns = protocol.columns()
        places = {condition: index for index, condition in enumerate((CLEAN, *protocol.conditions()))}
        told = self.predictions(output)
        known = told >= 0
        flipped = np.where(known & known[:, :1], told != told[:, :1], np.nan)
        flips = np.full_like(self.scores, np.nan)
        for index, column in enumerate(columns):
            if column.conditions:
                flips[:, index] = flipped[:, [places[name] for name in column.conditions]].mean(1)
        has_sides = output.kind is OutputKind.BINARY
        return ScoreTable(model_id, columns, self.scores, self._controls(columns, chances or {}), flips, has_sides)

    def _controls(self, columns: Sequence[ScoreColumn], chances: Mapping[str, Floats]) -> Floats:
        controls = self.controls.copy() if chances else self.controls
        for index, column in enumerate(columns):
            if column.given is not None and column.view in chances:
                controls[:, index] = np.where(np.isnan(self.scores[:, index]), np.nan, chances[column.view])
        return controls

    def predictions(self, output: Output) -> Integers:
        """(N, C), -1 where an output was not finite; two that differ are a flip.

        Classes; of independent labels a number for each set of those above the threshold, whose scores are all there.
        """
        if output.kind is not OutputKind.MULTILABEL:
            return self.predicted
        told = self.class_scores.reshape(self.predicted.size, -1) > output.threshold
        _, codes = np.unique(told, axis=0, return_inverse=True)
        return np.where(self.predicted < 0, -1, codes.reshape(self.predicted.shape))


def read_scores(session: Session, audit_id: UUID, model_ordinal: int) -> StoredScores:
    """Every sample of one model (or of the row across models), in sample order."""
    row = SampleScoresRow
    side = func.coalesce(func.least(row.map_height, row.map_width), 0)
    arrays = (row.scores, row.controls, row.predicted, row.class_scores, row.pairs)
    query = (
        select(
            SampleRow.label,
            SampleRow.source,
            *(func.array_send(array) for array in arrays),
            side,
        )
        .join(SampleRow, SampleRow.id == row.sample_id)
        .where(row.audit_id == audit_id, row.model_ordinal == model_ordinal)
        .order_by(row.ordinal)
    )
    names: dict[str | None, str | None] = {}
    rows = session.execute(query.execution_options(yield_per=CHUNK_ROWS)).partitions()
    chunks = [_decoded(chunk, names) for chunk in rows] or [_decoded((), names)]
    return StoredScores(
        labels=tuple(label for chunk in chunks for label in chunk.labels),
        sources=tuple(source for chunk in chunks for source in chunk.sources),
        scores=np.concatenate([chunk.scores for chunk in chunks]),
        controls=np.concatenate([chunk.controls for chunk in chunks]),
        predicted=np.concatenate([chunk.predicted for chunk in chunks]),
        class_scores=np.concatenate([chunk.class_scores for chunk in chunks]),
        pairs=np.concatenate([chunk.pairs for chunk in chunks]),
        map_side=min(chunk.map_side for chunk in chunks),
    )


Names = tuple[str | None, ...]


def labels_and_sources(session: Session, audit: AuditRow) -> tuple[Names, Names]:
    """Of every sample, in sample order, one copy of each; the scores stay where they are."""
    names: dict[str | None, str | None] = {}
    query = _samples(audit, SampleRow.label, SampleRow.source).execution_options(yield_per=CHUNK_ROWS)
    rows = [[names.setdefault(name, name) for name in row] for row in session.execute(query)]
    return tuple(label for label, _ in rows), tuple(source for _, source in rows)


def further_groups(session: Session, audit: AuditRow) -> dict[str, Names]:
    """What the columns of the audit's ``group_by`` say of every sample, in sample order."""
    return _columns(session, audit, audit.group_by or [])


def cluster_codes(session: Session, audit: AuditRow) -> Integers | None:
    """(N,) of what the audit's intervals draw together, in sample order: a sample that names no cluster is one of its
    own. None where every sample is drawn on its own."""
    if audit.cluster is None:
        return None
    codes: dict[object, int] = {}
    names = _columns(session, audit, [audit.cluster])[audit.cluster]
    # A place is never equal to a name.
    own = (place if name is None else name for place, name in enumerate(names))
    return np.array([codes.setdefault(name, len(codes)) for name in own], dtype=np.int64)


def _columns(session: Session, audit: AuditRow, wanted: Sequence[str]) -> dict[str, Names]:
    if not wanted:
        return {}
    query = _samples(audit, SampleRow.split, SampleRow.cluster, SampleRow.groups)
    rows = [{"split": split, "cluster": cluster, **(groups or {})} for split, cluster, groups in session.execute(query)]
    return {name: tuple(row.get(name) for row in rows) for name in wanted}


def _samples(audit: AuditRow, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """What these columns say of every sample, in sample order."""
    row = SampleScoresRow
    query = select(*columns).join(row, row.sample_id == SampleRow.id)
    return query.where(row.audit_id == audit.id, row.model_ordinal == 0).order_by(row.ordinal)


def _decoded(rows: Sequence[Row[Any]], names: dict[str | None, str | None]) -> StoredScores:
    """Arrays at once, chunk by chunk.

    ``names`` keeps one copy of each label and source.
    """
    columns = tuple(zip(*rows, strict=True)) or ((),) * 8
    labels, sources, scores, controls, predicted, class_scores, pairs, sides = columns
    return StoredScores(
        labels=tuple(names.setdefault(label, label) for label in labels),
        sources=tuple(names.setdefault(source, source) for source in sources),
        scores=decoded(scores, ">f8"),
        controls=decoded(controls, ">f8"),
        predicted=decoded(predicted, ">i4").astype(np.int64),
        class_scores=decoded(class_scores, ">f8"),
        pairs=decoded(pairs, ">f8"),
        map_side=min(sides, default=0),
    )
