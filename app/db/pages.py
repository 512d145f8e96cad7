"""Pages of lists: so many rows at most, and so many bytes, since one row may hold a million names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import add
from typing import Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, inspect, literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from app.db.tables.base import Identified

PAGE_BYTES = 4 * 1024**2

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
    sizes = session.scalars(query.with_only_columns(_size(table)).select_from(table).limit(limit + 1)).all()
    fitting = sum(total <= PAGE_BYTES for total in accumulate(sizes[:limit]))
    found = session.scalars(query.limit(max(fitting, 1))).all()
    return Rows(found, len(sizes) > len(found))


def _size(table: type[Identified]) -> ColumnElement[int]:
    """Of a row's lists and documents as text; its other columns have limits of their own."""
    columns = [attribute.class_attribute for attribute in inspect(table).column_attrs]
    large = [column for column in columns if isinstance(column.type, ARRAY | JSONB)]
    lengths = (func.coalesce(func.octet_length(cast(column, Text)), 0) for column in large)
    nothing: ColumnElement[int] = literal(0)
    return reduce(add, lengths, nothing)
