"""SQL of data sets and samples."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import collate, select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus, SampleStatus
from app.errors import NotFound


def get_dataset(session: Session, dataset_id: UUID, *, lock: bool = False) -> DatasetRow:
    """Raises NotFound."""
    row = session.get(DatasetRow, dataset_id, with_for_update=lock)
    if row is None:
        raise NotFound("data set")
    return row


def list_datasets(
    session: Session, limit: int, after: UUID | None, *, status: ResourceStatus | None, name: str | None
) -> Rows[DatasetRow]:
    """The newest first."""
    query = select(DatasetRow)
    if status is not None:
        query = query.where(DatasetRow.status == status)
    if name is not None:
        query = query.where(DatasetRow.name == name)
    return newest(session, query, DatasetRow, limit, after)


@dataclass(frozen=True)
class SampleFilter:
    """Which samples of a data set."""

    status: Annotated[SampleStatus | None, Query(description="`unreadable` samples were left out.")] = None
    label: Annotated[str | None, Query(description="Samples with this label.")] = None
    source: Annotated[str | None, Query(description="Samples from this source.")] = None
    split: Annotated[str | None, Query(description="Samples of this split.")] = None
    near_duplicates: Annotated[bool, Query(description="Only images that look like another one.")] = False


def list_samples(
    session: Session, dataset_id: UUID, wanted: SampleFilter, limit: int, after: str | None
) -> Rows[SampleRow]:
    """By name."""
    name = collate(SampleRow.name, "C")
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id).order_by(name).limit(limit + 1)
    if after is not None:
        query = query.where(name > after)
    for column, value in (
        (SampleRow.status, wanted.status),
        (SampleRow.label, wanted.label),
        (SampleRow.source, wanted.source),
        (SampleRow.split, wanted.split),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.near_duplicates:
        query = query.where(SampleRow.near_duplicate_of.is_not(None))
    return Rows.cut(session.scalars(query).all(), limit)
