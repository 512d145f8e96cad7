"""Which scores of an audit are asked for, and what a stored row says of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session

from app.audits.schemas import SampleScore
from app.audits.scores.predicted_labels import predicted_label
from app.audits.scores.subjects import all_subjects_in
from app.db.tables import AuditRow, ModelRow, SampleRow, SampleScoresRow
from app.domain.measures import MeasureName, ScoreColumn
from app.domain.problems import audits
from app.domain.protocol import Protocol
from app.domain.vocabulary import ACROSS_MODELS, CLEAN
from app.errors import NotFound
from app.results.inputs import mapping_of

Order = Literal["asc", "desc", "worst"]
Column = tuple[int, ScoreColumn]
"""With its place in a row's arrays, from 0."""


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


class WantedScores:
    """The columns of an audit that pass a filter, by subject.

    Raises Unprocessable where the filter names what is not there, or orders by more than one column.
    """

    def __init__(self, session: Session, audit: AuditRow, wanted: ScoreFilter) -> None:
        protocol = Protocol.model_validate(audit.protocol)
        self._wanted = wanted
        self._subjects = all_subjects_in(session, audit)
        self._conditions = (CLEAN, *protocol.conditions())
        self._mappings = [mapping_of(session, audit, one.model) for one in self._subjects if one.model is not None]
        self._columns = self._chosen(protocol.columns())
        own = [one.subject.columns(protocol) for one in self._subjects]
        self._own = [[(index, column) for index, column in self._columns if column in columns] for columns in own]
        of_all = wanted.model_id is None and wanted.subject is None
        self._across = self._chosen(protocol.pairing_columns() if of_all else ())
        if not self._columns and not self._across:
            raise audits.UNKNOWN_VIEW.error()
        if wanted.order and len(self._columns) + len(self._across) != 1:
            raise audits.ORDER_NEEDS_ONE_VIEW.error()

    @property
    def only(self) -> Column:
        """The one by which scores are ordered."""
        [column] = self._columns or self._across
        return column

    @property
    def fewest_of_a_row(self) -> int:
        """Scores, of the rows that have any."""
        return min((len(columns) for columns in (*self._own, self._across) if columns), default=1)

    @property
    def has_several_labels(self) -> bool:
        """Whether a sample's label may stand for several."""
        return any(mapping.several for mapping in self._mappings)

    def ordinals(self) -> list[int]:
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

    def of_row(self, row: SampleScoresRow, sample: SampleRow) -> Iterator[tuple[int, SampleScore]]:
        """Each with the place of its column."""
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

    def _chosen(self, columns: tuple[ScoreColumn, ...]) -> list[Column]:
        wanted = self._wanted
        return [
            (index, column)
            for index, column in enumerate(columns)
            if wanted.measure in {None, column.measure} and wanted.view in {None, column.view}
        ]
