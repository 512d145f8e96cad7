"""The order of versions: when their registry had them made, and where none says so, when they arrived."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, UnaryExpression, func, literal, tuple_

from app.db.tables import ModelRow, PolicyRunRow

Ordered = type[ModelRow] | type[PolicyRunRow]


def newest_first(row: Ordered) -> tuple[UnaryExpression[datetime], UnaryExpression[UUID]]:
    """For ``order_by``."""
    return _made_at(row).desc(), row.id.desc()


def is_earlier(row: Ordered, than: ModelRow | PolicyRunRow) -> ColumnElement[bool]:
    """For ``where``."""
    there = tuple_(literal(than.registered_at or than.created_at), literal(than.id))
    return tuple_(_made_at(row), row.id) < there


def _made_at(row: Ordered) -> ColumnElement[datetime]:
    return func.coalesce(row.registered_at, row.created_at)
