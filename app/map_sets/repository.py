"""SQL of map sets and their maps."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import AuditMapSetRow, MapRow, MapSetRow
from app.domain.vocabulary import SampleStatus
from app.errors import NotFound
from app.http.schemas import StatusFilter
from app.naming.filters import VersionFilter, narrowed_to_version


def get_map_set(session: Session, map_set_id: UUID, *, lock: bool = False) -> MapSetRow:
    """Raises NotFound."""
    row = session.get(MapSetRow, map_set_id, with_for_update=lock)
    if row is None:
        raise NotFound("map set")
    return row


@dataclass(frozen=True)
class MapSetFilter(VersionFilter):
    """Which map sets."""

    dataset_id: Annotated[UUID | None, Query(description="Of the samples of this data set.")] = None
    status: StatusFilter = None


def list_map_sets(session: Session, wanted: MapSetFilter, limit: int, after: UUID | None) -> Rows[MapSetRow]:
    """The newest first."""
    query = narrowed_to_version(select(MapSetRow), MapSetRow, wanted)
    if wanted.dataset_id is not None:
        query = query.where(MapSetRow.dataset_id == wanted.dataset_id)
    if wanted.status is not None:
        query = query.where(MapSetRow.status == wanted.status)
    return newest(session, query, MapSetRow, limit, after)


@dataclass(frozen=True)
class GivenMapFilter:
    """Which maps of a set."""

    status: Annotated[SampleStatus | None, Query(description="`unreadable` are what came and gave no map.")] = None
    sample_id: Annotated[UUID | None, Query(description="Of this sample.")] = None
    view: Annotated[str | None, Query(max_length=200, description="Of this view's images; `clean`, mostly.")] = None


def list_maps(
    session: Session, map_set_id: UUID, wanted: GivenMapFilter, limit: int, after: UUID | None
) -> Rows[MapRow]:
    """In the order in which they were read."""
    query = select(MapRow).where(MapRow.map_set_id == map_set_id).order_by(MapRow.id).limit(limit + 1)
    if after is not None:
        query = query.where(MapRow.id > after)
    for column, value in ((MapRow.status, wanted.status), (MapRow.view, wanted.view)):
        if value is not None:
            query = query.where(column == value)
    if wanted.sample_id is not None:
        query = query.where(MapRow.sample_id == wanted.sample_id)
    return Rows.cut(session.scalars(query).all(), limit)


def map_sets_of(session: Session, audit_id: UUID) -> list[MapSetRow]:
    """Of an audit, in the order of their ordinals."""
    query = select(MapSetRow).join(AuditMapSetRow).where(AuditMapSetRow.audit_id == audit_id)
    return list(session.scalars(query.order_by(AuditMapSetRow.ordinal)))
