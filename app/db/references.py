"""Which blobs are still referred to."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, ModelRow


def lock_digests(session: Session, digests: set[str]) -> None:
    """Until the transaction's end: who refers to a blob anew and who deletes it take turns."""
    for digest in sorted(digests):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(digest, 0))))


def unused_digests(session: Session, digests: set[str]) -> set[str]:
    """Which blobs no model or data set refers to."""
    used: set[str | None] = set()
    for table in (ModelRow, DatasetRow):
        for column in (table.content_digest, table.stored_digest):
            used |= set(session.scalars(select(column).where(column.in_(digests))))
    return digests - used
