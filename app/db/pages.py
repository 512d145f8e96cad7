"""Pages of lists: so many rows at most, and so many bytes, since one row may hold a million names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, inspect, literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from app.db.tables.base import Identified

PAGE_BYTES = 4 * 1024**2
STEP = 50

Row = TypeVar("Row")
Resource = TypeVar("Resource", bound=Identified)


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """Some rows of a list, and whether others follow."""

    items: Sequence[Row]
    more: bool

    @classmethod
    def cut(cls, found: Sequence[Row], limit: int) -> Self:
        """Of one more row than asked for, where there is one."""
        return cls(found[:limit], len(found) > limit)


def newest(
    session: Session, query: Select[Resource], table: type[Resource], limit: int, after: UUID | None
) -> Rows[Resource]:
    """The newest resources first, from after the one with that id; fewer than ``limit`` where they are large."""
    query = query.order_by(table.id.desc())
    if after is not None:
        query = query.where(table.id < after)
    ids, more = _fitting(session, query, table, limit)
    found = session.scalars(query.where(table.id.in_(ids))).all()
    if more and not found:
        return newest(session, query, table, limit, ids[-1])  # all of them were deleted meanwhile
    return Rows(found, more)


def _fitting(session: Session, query: Select[Resource], table: type[Resource], limit: int) -> tuple[list[UUID], bool]:
    """The ids of a page, and whether others follow; rows behind its end are not weighed."""
    ids: list[UUID] = []
    total = 0
    sizes = query.with_only_columns(table.id, _size(table)).select_from(table).limit(limit + 1)
    with session.execute(sizes.execution_options(yield_per=STEP)) as found:
        for row_id, size in found:
            total += size
            if len(ids) == limit or (ids and total > PAGE_BYTES):
                return ids, True
            ids.append(row_id)
    return ids, False


def _size(table: type[Identified]) -> ColumnElement[int]:
    """Of a row's lists and documents as text; its other columns have limits of their own."""
    columns = [attribute.class_attribute for attribute in inspect(table).column_attrs]
    large = [column for column in columns if isinstance(column.type, ARRAY | JSONB)]
    lengths = (func.coalesce(func.octet_length(cast(column, Text)), 0) for column in large)
    nothing: ColumnElement[int] = literal(0)
    return reduce(add, lengths, nothing)
