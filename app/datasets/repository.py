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
from app.naming.filters import VersionFilter, narrowed_to_version


def get_dataset(session: Session, dataset_id: UUID, *, lock: bool = False) -> DatasetRow:
    """Raises NotFound."""
    row = session.get(DatasetRow, dataset_id, with_for_update=lock)
    if row is None:
        raise NotFound("data set")
    return row


def list_datasets(
    session: Session, limit: int, after: UUID | None, *, status: ResourceStatus | None, wanted: VersionFilter
) -> Rows[DatasetRow]:
    """The newest first."""
    query = narrowed_to_version(select(DatasetRow), DatasetRow, wanted)
    if status is not None:
        query = query.where(DatasetRow.status == status)
    return newest(session, query, DatasetRow, limit, after)


@dataclass(frozen=True)
class SampleFilter:
    """Which samples of a data set."""

    name: Annotated[str | None, Query(max_length=1024, description="The sample of this name in the archive.")] = None
    status: Annotated[SampleStatus | None, Query(description="`unreadable` samples were left out.")] = None
    label: Annotated[str | None, Query(description="Samples with this label.")] = None
    source: Annotated[str | None, Query(description="Samples from this source.")] = None
    split: Annotated[str | None, Query(description="Samples of this split.")] = None
    near_duplicates: Annotated[bool, Query(description="Only images that look like another one.")] = False


def find_sample(session: Session, dataset_id: UUID, reference: str) -> SampleRow:
    """By its id, or by its name in the archive. Raises NotFound."""
    get_dataset(session, dataset_id)
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id)
    try:
        row = session.scalar(query.where(SampleRow.id == UUID(reference)))
    except ValueError:
        row = None
    row = row or session.scalar(query.where(SampleRow.name == reference).limit(1))
    if row is None:
        raise NotFound("sample in this data set")
    return row


def list_samples(
    session: Session, dataset_id: UUID, wanted: SampleFilter, limit: int, after: str | None
) -> Rows[SampleRow]:
    """By name."""
    name = collate(SampleRow.name, "C")
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id).order_by(name).limit(limit + 1)
    if after is not None:
        query = query.where(name > after)
    for column, value in (
        (SampleRow.name, wanted.name),
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
