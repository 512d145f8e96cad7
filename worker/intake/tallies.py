"""What a data set's samples come to, all of them together."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.db.tables import SampleRow
from app.domain.vocabulary import TAKEN, SampleStatus
from app.errors import InputFailure
from worker.intake.samples import is_image_name

MAX_VALUES_BYTES = 1024**2


def distinct_values(session: Session, dataset_id: UUID, column: Any) -> list[str]:
    """Labels, sources or splits of the readable samples, sorted by code point.

    Raises InputFailure ``dataset-too-many-labels`` for more than every answer about the data set should hold.
    """
    query = (
        select(column.label("value"))
        .distinct()
        .where(SampleRow.dataset_id == dataset_id, SampleRow.status.in_(TAKEN), column.is_not(None))
    )
    taken = session.scalar(select(func.sum(func.octet_length(query.subquery().c.value)))) or 0
    if taken > MAX_VALUES_BYTES:
        detail = f"Its {column.key}s have more than {MAX_VALUES_BYTES} bytes in all: are they not files' names?"
        raise InputFailure("dataset-too-many-labels", detail)
    return sorted(session.scalars(query))


def folders_of_samples(session: Session, dataset_id: UUID, *which: ColumnElement[bool]) -> list[str]:
    """The folders that hold samples themselves; nothing for those that lie in none."""
    folder = func.regexp_replace(SampleRow.name, "/?[^/]*$", "")
    return list(session.scalars(select(folder).distinct().where(SampleRow.dataset_id == dataset_id, *which)))


def folders_of_images(session: Session, dataset_id: UUID) -> list[str]:
    """Before anybody looked at them: by their names."""
    return folders_of_samples(session, dataset_id, is_image_name())


def untold_images(session: Session, dataset_id: UUID) -> int:
    """How many images, by their names, no table tells of."""
    which = (SampleRow.dataset_id == dataset_id, SampleRow.groups.is_(None), is_image_name())
    return session.scalar(select(func.count()).where(*which)) or 0


def names_alike_but_for_case(session: Session, dataset_id: UUID) -> int:
    """How many samples there are more than names in lower case."""
    every, folded = func.count(), func.count(func.lower(SampleRow.name).distinct())
    return session.scalar(select(every - folded).where(SampleRow.dataset_id == dataset_id)) or 0


def problem_counts(session: Session, dataset_id: UUID) -> str:
    """Why samples cannot be read, the commonest first; nothing where all can be."""
    detail = SampleRow.problem["detail"].astext
    query = (
        select(detail, func.count())
        .where(SampleRow.dataset_id == dataset_id, SampleRow.status == SampleStatus.UNREADABLE)
        .group_by(detail)
        .order_by(func.count().desc(), detail)
        .limit(3)
    )
    return " ".join(f"{count}: {text}" for text, count in session.execute(query))


def unreadable_labels(session: Session, dataset_id: UUID, labels: Sequence[str]) -> list[str]:
    """Labels of unreadable samples alone, of which no image is left."""
    query = select(SampleRow.label).distinct().where(SampleRow.dataset_id == dataset_id, SampleRow.label.is_not(None))
    return sorted({label for label in session.scalars(query) if label is not None} - set(labels))
