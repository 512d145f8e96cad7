"""Scores per sample, as long rows: one number each, in pages or as a stream."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from app.audits.schemas import SampleScore
from app.audits.scores.wanted import ScoreFilter, WantedScores
from app.db.pages import Rows
from app.db.tables import AuditRow, SampleRow, SampleScoresRow
from app.domain.measures import lower_is_better
from app.domain.problems.service import INVALID_CURSOR
from app.domain.samples.several_labels import SEPARATOR

STREAM_ROWS = 500

Key = tuple[int, int, int]


class ScoreReader:
    """The scores of one audit that pass a filter. Raises Unprocessable where the filter names what is not there."""

    def __init__(self, session: Session, audit: AuditRow, wanted: ScoreFilter) -> None:
        self._session = session
        self._audit = audit
        self._filter = wanted
        self._wanted = WantedScores(session, audit, wanted)

    def page(self, limit: int, after: list[Any] | None) -> Rows[tuple[list[Any], SampleScore]]:
        """Scores, each with the key that a cursor keeps."""
        if self._filter.order:
            return self._ordered_page(limit, after)
        start = None if after is None else _whole(after)
        query = self._query().order_by(SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        if start is not None:
            place = tuple_(SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
            query = query.where(place >= tuple_(start[0], start[1]))
        found: list[tuple[list[Any], SampleScore]] = []
        for row in self._rows(query.limit(limit // self._wanted.fewest_of_a_row + 3)):
            keyed = [(self._key(row[0], index), score) for index, score in self._wanted.of_row(*row)]
            found += [(list(key), score) for key, score in keyed if start is None or key > start]
        return Rows.cut(found, limit)

    def stream(self) -> Iterator[SampleScore]:
        """All of them, through a server-side cursor."""
        order = (SampleScoresRow.ordinal, SampleScoresRow.model_ordinal)
        query = self._query().order_by(*([self._sorting()] if self._filter.order else []), *order)
        for row in self._rows(query.execution_options(yield_per=STREAM_ROWS)):
            yield from (score for _, score in self._wanted.of_row(*row))

    def _query(self) -> Select[SampleScoresRow, SampleRow]:
        wanted, row = self._filter, SampleScoresRow
        query = select(row, SampleRow).join(SampleRow, SampleRow.id == row.sample_id)
        query = query.where(row.audit_id == self._audit.id, row.model_ordinal.in_(self._wanted.ordinals()))
        if wanted.label is not None:
            query = query.where(self._labelled(wanted.label))
        if wanted.source is not None:
            query = query.where(SampleRow.source == wanted.source)
        return query

    def _labelled(self, label: str) -> ColumnElement[bool]:
        if not self._wanted.has_several_labels:
            return SampleRow.label == label
        return literal(label) == func.any(func.string_to_array(SampleRow.label, SEPARATOR))

    def _rows(self, query: Select[SampleScoresRow, SampleRow]) -> Iterator[tuple[SampleScoresRow, SampleRow]]:
        yield from self._session.execute(query)

    def _score(self) -> Any:
        """The SQL of the one chosen score; arrays count from 1."""
        return SampleScoresRow.scores[self._wanted.only[0] + 1]

    def _is_ascending(self) -> bool:
        """The worst of a measure of which more is better are its lowest."""
        _, column = self._wanted.only
        return self._filter.order == "asc" or (
            self._filter.order == "worst" and not lower_is_better(column.measure, column.view)
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
            (_, score), *_ = self._wanted.of_row(*row)
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


def _whole(after: Sequence[Any]) -> Key:
    if not all(type(part) is int for part in after):
        raise INVALID_CURSOR.error()
    return after[0], after[1], after[2]
