"""Audits and shards as workers would leave them, for tests of what the API tells about them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, update

from app.db.session import transaction
from app.db.tables import AuditRow, ShardRow
from app.domain.vocabulary import AuditStatus, ShardStatus
from tests.factories import audit_row, dataset_row, shard_rows


def add_audit(engine: Engine, *, shards: int, size: int = 64) -> UUID:
    """Queued, with its shards, on a data set of its own."""
    with transaction(engine) as session:
        session.add(dataset := dataset_row())
        session.flush()
        session.add(audit := audit_row(dataset.id, sample_count=shards * size))
        session.flush()
        session.add_all(shard_rows(audit.id, count=shards, size=size))
        return audit.id


def set_audit(engine: Engine, audit_id: UUID, status: AuditStatus, **values: Any) -> None:
    with transaction(engine) as session:
        session.execute(update(AuditRow).where(AuditRow.id == audit_id).values(status=status, **values))


def set_shard(engine: Engine, audit_id: UUID, ordinal: int, **values: Any) -> None:
    with transaction(engine) as session:
        chosen = (ShardRow.audit_id == audit_id) & (ShardRow.ordinal == ordinal)
        session.execute(update(ShardRow).where(chosen).values(**values))


def worked(
    engine: Engine,
    audit_id: UUID,
    ordinal: int,
    *,
    done: int,
    begin: float,
    until: float,
    now: datetime | None = None,
) -> None:
    """A shard that was begun and last heard of that many seconds before ``now``; done where all its samples are."""
    now = now or datetime.now(UTC)
    with transaction(engine) as session:
        chosen = (ShardRow.audit_id == audit_id) & (ShardRow.ordinal == ordinal)
        size = session.scalars(select(ShardRow.stop - ShardRow.start).where(chosen)).one()
        values = {
            "status": ShardStatus.DONE if done == size else ShardStatus.RUNNING,
            "samples_done": done,
            "attempt": ShardRow.attempt + 1,
            "claimed_at": now - timedelta(seconds=begin),
            "updated_at": now - timedelta(seconds=until),
            "lease_expires_at": now + timedelta(seconds=60 - until),
        }
        session.execute(update(ShardRow).where(chosen).values(values))
