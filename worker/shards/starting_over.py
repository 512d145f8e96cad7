"""Shards whose scores are not to meet those of a new plan, or of another processor."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.db.tables import CleanSourceRow, SampleScoresRow, ShardRow
from app.domain.vocabulary import ShardStatus


def start_over(session: Session, audit_id: UUID) -> int:
    """Put every shard back, under the audit's lock; returns how many shards nobody has a message for.

    First the shards, which waits for those that are being saved; then the scores, theirs among them.
    """
    of_audit = ShardRow.audit_id == audit_id
    unheard = session.scalar(select(func.count()).where(of_audit, ShardRow.status != ShardStatus.QUEUED))
    # Attempts stay: they fence whoever still runs a shard under the old plan.
    session.execute(
        update(ShardRow)
        .where(of_audit)
        .values(
            status=ShardStatus.QUEUED,
            lease_expires_at=None,
            samples_done=0,
            source_away_since=None,
            source_tries=0,
            updated_at=func.clock_timestamp(),
        )
    )
    session.execute(delete(CleanSourceRow).where(CleanSourceRow.audit_id == audit_id))
    session.execute(delete(SampleScoresRow).where(SampleScoresRow.audit_id == audit_id))
    return unheard or 0
