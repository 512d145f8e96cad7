"""Rows out of a database and into an empty one, table by table."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, MetaData, text

from app.errors import SalienceError

LEFT_OUT = frozenset({"alembic_version", "workers", "gpu_reports"})
"""What says who is there now."""
CHUNK_BYTES = 1024**2


@dataclass(frozen=True)
class SavedTable:
    """A table's rows in a file, in the order of its columns."""

    name: str
    columns: list[str]
    rows: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def save_tables(connection: Connection, folder: Path) -> Iterator[SavedTable]:
    """Parents before their children. The caller's transaction shows one moment."""
    schema = MetaData()
    schema.reflect(connection)
    folder.mkdir(parents=True, exist_ok=True)
    for table in schema.sorted_tables:
        if table.name in LEFT_OUT:
            continue
        columns = [column.name for column in table.columns]
        with (folder / table.name).open("wb") as file, _driver(connection).cursor() as cursor:
            with cursor.copy(_copy("TO STDOUT", table.name, columns)) as copy:
                for chunk in copy:
                    file.write(chunk)
            rows = cursor.rowcount
        yield SavedTable(table.name, columns, rows)


def load_tables(connection: Connection, folder: Path, tables: list[SavedTable]) -> None:
    """Into tables that hold nothing of anybody's. Raises SalienceError ``backup-damaged``."""
    for table in reversed(tables):
        connection.execute(text(f'DELETE FROM "{table.name}"'))  # the first tenant, which migrations make
    for table in tables:
        # COPY does not speak with row security; the owner is past it as long as it is not forced.
        connection.execute(text(f'ALTER TABLE "{table.name}" NO FORCE ROW LEVEL SECURITY'))
        with (folder / table.name).open("rb") as file, _driver(connection).cursor() as cursor:
            with cursor.copy(_copy("FROM STDIN", table.name, table.columns)) as copy:
                while chunk := file.read(CHUNK_BYTES):
                    copy.write(chunk)
            if cursor.rowcount != table.rows:
                detail = f"The backup is damaged: {table.name} has {cursor.rowcount} rows instead of {table.rows}."
                raise SalienceError("backup-damaged", detail)


def secured_tables(connection: Connection) -> list[str]:
    """On which row security is forced."""
    query = "SELECT relname FROM pg_class WHERE relforcerowsecurity AND relnamespace = current_schema()::regnamespace"
    return list(connection.scalars(text(query)))


def is_empty(connection: Connection) -> bool:
    """Whether nobody has put anything into the database."""
    filled = "SELECT EXISTS (SELECT FROM models) OR EXISTS (SELECT FROM datasets) OR EXISTS (SELECT FROM audits)"
    return not connection.scalar(text(filled))


def _driver(connection: Connection) -> "psycopg.Connection[Any]":
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _copy(direction: str, table: str, columns: list[str]) -> Composed:
    named = SQL(", ").join(map(Identifier, columns))
    return SQL("COPY {} ({}) {}").format(Identifier(table), named, SQL(direction))
