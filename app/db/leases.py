"""Rows that are work: due at a time, claimed under a lease, tried again ever later.

``attempts`` counts the claims. Whoever claimed a row goes on with it as long as the count is that of its claim; one
that comes back late finds another. ``unexplained`` counts the latest claims of which nobody told why they ended: an
error that nobody expects, or a process that died of the work itself, ends it after a few.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine, Select, func, select

from app.db.session import transaction
from app.db.tables import DatasetImportRow, ModelImportRow, PolicyRunRow

MAX_ATTEMPTS = 150
"""About a day of them."""
MOST_UNEXPLAINED = 10
"""In a row: a process that is replaced now and then in the midst of it does no harm."""
LONGEST_WAIT = timedelta(minutes=10)

Leased = TypeVar("Leased", ModelImportRow, DatasetImportRow, PolicyRunRow)


def claim_due(engine: Engine, table: type[Leased], full: frozenset[UUID], lease: timedelta) -> Leased | None:
    """The row that is due the longest, of a tenant that is not among ``full``; None where nothing is due."""
    now = func.clock_timestamp()
    with transaction(engine) as session:
        found = session.scalar(_due(table, full).with_for_update(skip_locked=True))
        if found is not None:
            found.attempts += 1
            found.unexplained += 1
            found.next_at = now + lease
        return found


def is_due(engine: Engine, table: type[Leased], full: frozenset[UUID]) -> bool:
    """Whether `claim_due` would find one."""
    with transaction(engine) as session:
        return session.scalar(_due(table, full)) is not None


def _due(table: type[Leased], full: frozenset[UUID]) -> Select[Leased]:
    due = select(table).where(table.next_at <= func.clock_timestamp(), table.tenant_id.not_in(full))
    return due.order_by(table.next_at).limit(1)


@dataclass(frozen=True)
class BrokenOff:
    """Work that ended so many times in a row without anybody telling why: by an error that nobody expected, or with its
    process, where there is no such error."""

    what: str
    times: int
    last: Exception | None = None

    @property
    def is_given_up(self) -> bool:
        """Whether it is not tried again."""
        return self.times >= MOST_UNEXPLAINED

    def __str__(self) -> str:
        error = type(self.last).__name__
        how = "its process was lost" if self.last is None else f"by an error that nobody expected ({error})"
        return f"{self.what} broke off {self.times} times in a row, the last time {how}; the API's log says where."


def wait_after(attempts: int) -> timedelta:
    """After so many failed attempts: two seconds, and twice as long after each."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_WAIT)
