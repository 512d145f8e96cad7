"""Which of a list are wanted, by what people call them and by when they were made."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Query
from sqlalchemy import ColumnElement, Select

from app.db.tables import AuditRow, ComparisonRow, DatasetRow, GateRow, MapSetRow, ModelRow, RunGroupRow

Described = TypeVar("Described", AuditRow, ComparisonRow, DatasetRow, GateRow, MapSetRow, ModelRow, RunGroupRow)
Versioned = TypeVar("Versioned", DatasetRow, GateRow, MapSetRow, ModelRow)


@dataclass(frozen=True)
class Filter:
    """By name, tag and time."""

    name: Annotated[str | None, Query(max_length=1024, description="Exactly this name.")] = None
    tag: Annotated[str | None, Query(max_length=100, description="Has this tag.")] = None
    created_after: Annotated[datetime | None, Query(description="Made at or after this time (RFC 3339).")] = None
    created_before: Annotated[datetime | None, Query(description="Made before this time.")] = None


@dataclass(frozen=True)
class VersionFilter(Filter):
    """And by version or alias."""

    version: Annotated[str | None, Query(max_length=100, description="Exactly this version of its name.")] = None
    alias: Annotated[str | None, Query(max_length=100, description="Has this alias.")] = None


def narrowed(query: Select[Described], row: type[Described], wanted: Filter) -> Select[Described]:
    """The query, with a condition for each thing that is wanted."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.name is not None:
        conditions.append(row.name == wanted.name)
    if wanted.tag is not None:
        conditions.append(row.tags.contains([wanted.tag]))
    if wanted.created_after is not None:
        conditions.append(row.created_at >= _aware(wanted.created_after))
    if wanted.created_before is not None:
        conditions.append(row.created_at < _aware(wanted.created_before))
    return query.where(*conditions)


def narrowed_to_version(query: Select[Versioned], row: type[Versioned], wanted: VersionFilter) -> Select[Versioned]:
    """Likewise, of names that have versions."""
    query = narrowed(query, row, wanted)
    if wanted.version is not None:
        query = query.where(row.version == wanted.version)
    return query if wanted.alias is None else query.where(row.aliases.contains([wanted.alias]))


def _aware(time: datetime) -> datetime:
    """UTC where nothing else is said."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
