"""A name has versions: made again, it is the next. Never commits."""

from typing import TypeVar

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ComparisonRow, DatasetRow, GateRow, MapSetRow, ModelRow, RunGroupRow
from app.naming.schemas import Change, VersionedChange

Versioned = TypeVar("Versioned", DatasetRow, GateRow, MapSetRow, ModelRow)


def next_version(session: Session, table: type[Versioned], name: str) -> str:
    """The number after the highest that the name has; whoever asks at the same time waits for this transaction."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{table.__tablename__} {name}", 0))))
    numbers = select(func.max(cast(table.version, Integer))).where(
        table.name == name, table.version.regexp_match("^[0-9]{1,9}$")
    )
    return str((session.scalar(numbers) or 0) + 1)


def change(session: Session, row: Versioned, wanted: VersionedChange) -> None:
    """A new name makes it that name's next version; an alias is taken from the version that has it."""
    values = wanted.values()
    if values.get("name", row.name) != row.name:
        row.version = next_version(session, type(row), values["name"])
    reword(session, row, wanted)
    _take_aliases(session, row)


def reword(session: Session, row: AuditRow | ComparisonRow | RunGroupRow | Versioned, wanted: Change) -> None:
    """What is named is changed."""
    for field, value in wanted.values().items():
        setattr(row, field, value)
    session.flush()
    session.refresh(row)


def _take_aliases(session: Session, row: Versioned) -> None:
    table = type(row)
    others = select(table).where(table.name == row.name, table.id != row.id, table.aliases.overlap(row.aliases))
    for other in session.scalars(others.with_for_update()) if row.aliases else ():
        other.aliases = [alias for alias in other.aliases if alias not in row.aliases]
    session.flush()
