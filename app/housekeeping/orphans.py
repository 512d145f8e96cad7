"""Blobs that no row refers to: of deleted resources, of uploads and workers that were killed before their commit."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select, text, union_all
from sqlalchemy.orm import Session

from app.db.locking import lock_digests
from app.db.references import unused_digests
from app.db.session import transaction
from app.db.tables import UPLOADED
from app.domain.vocabulary import ResourceStatus
from app.storage.blobs import BlobStore

logger = logging.getLogger(__name__)


def sweep_orphans(engine: Engine, blobs: BlobStore, grace: timedelta) -> int:
    """Delete them once they are older than ``grace``; returns how many.

    A blob is written before its row refers to it. Young ones are left alone therefore, and those that a worker may
    have written for an upload that it still looks into. Who comes to refer to an old one just now (the same content
    sent again) holds its digest's lock, or finds it gone and says so.
    """
    with transaction(engine) as session:
        before, owner = _cutoff(session, grace), _identity(session)
    if not blobs.is_owned_by(owner):
        logger.warning("the blob store belongs to another database; orphans stay (see docs/operations.md)")
        return 0
    removed = 0
    for digests in blobs.written_before(before):
        with transaction(engine) as session:
            candidates = unused_digests(session, digests)
        removed += sum(_delete(engine, blobs, digest, before) for digest in sorted(candidates))
    return removed


def _identity(session: Session) -> str:
    """Of this very database. A copy of it that shares the store must not delete what the copy does not know of."""
    cluster = "(SELECT system_identifier FROM pg_control_system())"
    database = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    return str(session.scalar(text(f"SELECT {cluster} || '/' || {database}")))


def _cutoff(session: Session, grace: timedelta) -> datetime:
    """``grace`` also covers stores that tell whole seconds, by a clock that differs from the database's."""
    at_work = [
        select(func.min(table.updated_at)).where(table.status == ResourceStatus.VALIDATING) for table in UPLOADED
    ]
    times: list[datetime | None] = list(session.scalars(union_all(select(func.clock_timestamp()), *at_work)))
    return min(time for time in times if time is not None) - grace


def _delete(engine: Engine, blobs: BlobStore, digest: str, before: datetime) -> bool:
    with transaction(engine) as session:
        lock_digests(session, {digest})
        if not unused_digests(session, {digest}):
            return False
        try:
            if blobs.written_at(digest) >= before:
                return False
        except FileNotFoundError:
            return False
        blobs.delete(digest)
    return True
