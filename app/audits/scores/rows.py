"""Scores per sample, as long rows: one number each, in pages or as a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from app.audits.schemas import SampleScore
from app.audits.scores.subjects import all_subjects_in
from app.db.pages import Rows
from app.db.tables import AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.measures import MeasureName, ScoreColumn, lower_is_better
from app.domain.models.outputs import Output
from app.domain.problems import audits
from app.domain.problems.service import INVALID_CURSOR
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.samples.several_labels import SEPARATOR, joined
from app.domain.vocabulary import ACROSS_MODELS, CLEAN
from app.errors import NotFound
from app.results.inputs import class_count, mapping_of

STREAM_ROWS = 500

Order = Literal["asc", "desc", "worst"]
Key = tuple[int, int, int]


@dataclass(frozen=True)
class ScoreFilter:
    """Which scores; ``order`` sorts by score and needs one measure's one view."""

    measure: Annotated[MeasureName | None, Query(description="Scores of this measure.")] = None
    view: Annotated[str | None, Query(description="Of this view: `spatial`, `noise@0.05`, `shift_left`, ...")] = None
    model_id: Annotated[UUID | None, Query(description="Of this model; leaves out stability, which has none.")] = None
    subject: Annotated[str | None, Query(description="Of this subject of the results: a model under a method.")] = None
    label: Annotated[str | None, Query(description="Of samples with this label.")] = None
    source: Annotated[str | None, Query(description="Of samples from this source.")] = None
    order: Annotated[
        Order | None, Query(description="By score; `worst`: as the measure has it. Needs one measure and view.")
    ] = None


class ScoreReader:
    """The scores of one audit that pass a filter. Raises Unprocessable where the filter names what is not there."""

    def __init__(self, session: Session, audit: AuditRow, wanted: ScoreFilter) -> None:
        self._session = session
        self._audit = audit
        self._wanted = wanted
        self._protocol = Protocol.model_validate(audit.protocol)
        self._subjects = all_subjects_in(session, audit)
        self._conditions = (CLEAN, *self._protocol.conditions())
        self._mappings = [mapping_of(session, audit, one.model) for one in self._subjects if one.model is not None]
        self._columns = self._chosen(self._protocol.columns())
        own = [one.subject.columns(self._protocol) for one in self._subjects]
        self._own = [[(index, column) for index, column in self._columns if column in columns] for columns in own]
        of_all = wanted.model_id is None and wanted.subject is None
        self._across = self._chosen(self._protocol.pairing_columns() if of_all else ())
        if not self._columns and not self._across:
            raise audits.UNKNOWN_VIEW.error()
        if wanted.order and len(self._columns) + len(self._across) != 1:
            raise audits.ORDER_NEEDS_ONE_VIEW.error()

    def page(self, limit: int, after: list[Any] | None) -> Rows[tuple[list[Any], SampleScore]]:
        """Scores, each with the key that a cursor keeps."""
        if self._wanted.order:
            return self._ordered_page(limit, after)
        start = None if after is None else _whole(after)
        width = min((len(columns) for columns in (*self._own, self._across) if columns), default=1)
        query = self._query().order_by(SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        if start is not None:
            place = tuple_(SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
            query = query.where(place >= tuple_(start[0], start[1]))
        found: list[tuple[list[Any], SampleScore]] = []
        for row in self._rows(query.limit(limit // width + 3)):
            keyed = [(self._key(row[0], index), score) for index, score in self._expand(*row)]
            found += [(list(key), score) for key, score in keyed if start is None or key > start]
        return Rows.cut(found, limit)

    def stream(self) -> Iterator[SampleScore]:
        """All of them, through a server-side cursor."""
        order = (SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        query = self._query().order_by(*([self._sorting()] if self._wanted.order else []), *order)
        for row in self._rows(query.execution_options(yield_per=STREAM_ROWS)):
            yield from (score for _, score in self._expand(*row))

    def _chosen(self, columns: tuple[ScoreColumn, ...]) -> list[tuple[int, ScoreColumn]]:
        wanted = self._wanted
        return [
            (index, column)
            for index, column in enumerate(columns)
            if wanted.measure in {None, column.measure} and wanted.view in {None, column.view}
        ]

    def _query(self) -> Select[SampleScoresRow, SampleRow]:
        wanted, row = self._wanted, SampleScoresRow
        query = select(row, SampleRow).join(SampleRow, SampleRow.id == row.sample_id)
        query = query.where(row.audit_id == self._audit.id, row.model_ordinal.in_(self._ordinals()))
        if wanted.label is not None:
            query = query.where(self._labelled(wanted.label))
        if wanted.source is not None:
            query = query.where(SampleRow.source == wanted.source)
        return query

    def _labelled(self, label: str) -> ColumnElement[bool]:
        if not any(mapping.several for mapping in self._mappings):
            return SampleRow.label == label
        return literal(label) == func.any(func.string_to_array(SampleRow.label, SEPARATOR))

    def _rows(self, query: Select[SampleScoresRow, SampleRow]) -> Iterator[tuple[SampleScoresRow, SampleRow]]:
        yield from self._session.execute(query)

    def _ordinals(self) -> list[int]:
        """Of the rows that have any of the columns, of the subjects that are asked for: of a model all of its methods.
        Raises NotFound."""
        wanted = self._wanted
        found = [
            ordinal
            for ordinal, one in enumerate(self._subjects)
            if wanted.subject in {None, one.key}
            and (wanted.model_id is None or (one.model is not None and wanted.model_id == one.model.id))
        ]
        if not found:
            raise NotFound("model in this audit")
        having = [ordinal for ordinal in found if self._own[ordinal]]
        return [*having, *([ACROSS_MODELS] if self._across else [])]

    def _score(self) -> Any:
        """The SQL of the one chosen score; arrays count from 1."""
        return SampleScoresRow.scores[(self._columns or self._across)[0][0] + 1]

    def _is_ascending(self) -> bool:
        """The worst of a measure of which more is better are its lowest."""
        [(_, column)] = self._columns or self._across
        return self._wanted.order == "asc" or (
            self._wanted.order == "worst" and not lower_is_better(column.measure, column.view)
        )

    def _sorting(self) -> Any:
        score = self._score()
        return (score.asc() if self._is_ascending() else score.desc()).nulls_last()

    def _ordered_page(self, limit: int, after: list[Any] | None) -> Rows[tuple[list[Any], SampleScore]]:
        place = tuple_(SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        query = self._query().order_by(self._sorting(), SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        if after is not None:
            query = query.where(self._behind(after, place))
        found = []
        for row in self._rows(query.limit(limit + 1)):
            (_, score), *_ = self._expand(*row)
            found.append(([score.score, row[0].ordinal, row[0].model_ordinal], score))
        return Rows.cut(found, limit)

    def _behind(self, after: list[Any], place: Any) -> Any:
        score = self._score()
        last, ordinal, model = after
        if not isinstance(last, int | float | None) or type(ordinal) is not int or type(model) is not int:
            raise INVALID_CURSOR.error()
        later = place > tuple_(ordinal, model)
        if last is None:
            return and_(score.is_(None), later)
        further = score > last if self._is_ascending() else score < last
        return or_(further, and_(score == last, later), score.is_(None))

    @staticmethod
    def _key(row: SampleScoresRow, index: int) -> Key:
        return row.ordinal, row.model_ordinal, index

    def _expand(self, row: SampleScoresRow, sample: SampleRow) -> Iterator[tuple[int, SampleScore]]:
        across = row.model_ordinal == ACROSS_MODELS
        subject = None if across else self._subjects[row.model_ordinal]
        model = None if subject is None else subject.model
        named = None if subject is None else model or subject.map_set
        for index, column in self._across if across else self._own[row.model_ordinal]:
            yield (
                index,
                SampleScore(
                    sample=sample.name,
                    sample_id=sample.id,
                    label=sample.label,
                    source=sample.source,
                    model=named and named.name,
                    model_id=model and model.id,
                    subject=subject and subject.key,
                    measure=column.measure,
                    view=column.view,
                    score=row.scores[index],
                    control=row.controls[index] if row.controls else None,
                    undefined_reason=row.undefined[index] if row.undefined else None,
                    predicted_label=None if model is None else self._predicted(row, column, model),
                ),
            )

    def _predicted(self, row: SampleScoresRow, column: ScoreColumn, model: ModelRow) -> str | None:
        """Of the view's image; of the clean image where the column has none or several."""
        condition = column.conditions[0] if len(column.conditions) == 1 else CLEAN
        mapping = self._mappings[row.model_ordinal]
        return predicted_label(row, model, self._conditions.index(condition), mapping)


def predicted_label(row: SampleScoresRow, model: ModelRow, condition: int, mapping: LabelMapping) -> str | None:
    """The label that meets the class, else the class's name or index; None where the output was not finite.

    Of independent labels all that are above the threshold.
    """
    predicted = (row.predicted or [])[condition]
    if mapping.several and predicted >= 0:
        count = class_count(model)
        scores = (row.class_scores or [])[condition * count : (condition + 1) * count]
        threshold = Output.of(model.output).threshold
        told = [index for index, score in enumerate(scores) if score is not None and score > threshold]
        return joined(mapping.class_label(index, model.class_names) for index in told)
    return None if predicted < 0 else mapping.class_label(predicted, model.class_names)


def _whole(after: Sequence[Any]) -> Key:
    if not all(type(part) is int for part in after):
        raise INVALID_CURSOR.error()
    return after[0], after[1], after[2]
