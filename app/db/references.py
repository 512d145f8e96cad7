"""Which blobs are still referred to."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import DatasetRow, ModelRow


def unused_digests(session: Session, digests: set[str]) -> set[str]:
    """Which blobs no model or data set refers to."""
    used: set[str | None] = set()
    for table in (ModelRow, DatasetRow):
        for column in (table.content_digest, table.stored_digest):
            used |= set(session.scalars(select(column).where(column.in_(digests))))
    return digests - used
