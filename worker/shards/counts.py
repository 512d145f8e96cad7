"""What becomes of shards, for ``/metrics`` and quotas: counted in the transaction in which it becomes so."""

from uuid import UUID

from psycopg.errors import UndefinedTable
from sqlalchemy import update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.db.counters import Tally, add, shard_seconds_label
from app.db.tables import AuditUsageRow


def count_claim(session: Session, shard_id: UUID, attempt: int, *, taken_over: bool) -> None:
    """First attempts are not worth a row."""
    if attempt > 1:
        lost = {(Tally.CRASHES, "worker"): 1.0} if taken_over else {}
        add(session, shard_id, {(Tally.RETRIES, ""): 1.0} | lost)


def charge(session: Session, audit_id: UUID, seconds: float) -> None:
    """To the audit's tenant. Call it late: its other workers wait for the row until the end.

    A database that an older version still runs on has no such row, and the shard's scores are worth more.
    """
    row = AuditUsageRow
    try:
        with session.begin_nested():
            session.execute(update(row).where(row.audit_id == audit_id).values(used_seconds=row.used_seconds + seconds))
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise


def count_done(session: Session, shard_id: UUID, samples: int, seconds: float) -> None:
    """``seconds`` of its last attempt, by the database's clock."""
    amounts = {
        (Tally.SAMPLES, ""): float(samples),
        (Tally.SHARD_SECONDS, ""): seconds,
        (Tally.SHARDS_WITHIN, shard_seconds_label(seconds)): 1.0,
    }
    add(session, shard_id, amounts)


def count_device_fault(session: Session, shard_id: UUID) -> None:
    """The device failed under the process that ran the model."""
    add(session, shard_id, {(Tally.CRASHES, "device"): 1.0})


def count_model_crash(session: Session, shard_id: UUID) -> None:
    """The child process that ran the model ended before its work did."""
    add(session, shard_id, {(Tally.CRASHES, "model"): 1.0})
