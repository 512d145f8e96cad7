"""Archives of changed images that somebody asked for and waits for: claimed under a lease, made, stored."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, or_, select, update
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import AuditRow, ViewArchiveRow
from app.domain.vocabulary import OwedStatus
from app.errors import InputFailure, TooLarge, TransientFailure
from app.queue import TaskName
from app.sources.patience import note_try
from app.storage.writing import StoredBlob
from worker.lifecycle.attempts import attempted
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import Lease, LeaseLost, WorkerStopping
from worker.shards.view_images import ViewImages

logger = logging.getLogger(__name__)

CRASHED = InputFailure("views-crashed-worker", "Making the images crashed their worker.")


def archive_views(context: WorkerContext, archive_id: UUID) -> None:
    """Make what is queued; running it twice, even at the same time, changes nothing.

    No row is locked meanwhile, since it takes minutes: the audit may be deleted, and then the work is thrown away.
    """
    row = _claim(context, archive_id)
    if row is None:
        return
    attempt = _Attempt(context, row)
    lease = Lease(context, attempt.extend, of=f"archive {row.id}")
    try:
        if row.attempt > context.settings.max_shard_attempts:
            raise CRASHED
        images = ViewImages.of(context, row, lease.keep)
        stored = attempted(context, partial(_written, images), of=f"archive {row.id}", did="made the images")
        attempt.finish(stored)
    except LeaseLost:
        logger.info("archive %s: taken over, or not wanted any more", row.id)
    except WorkerStopping:
        attempt.give_back()
        context.queue.send(TaskName.ARCHIVE_VIEWS, row.id)
    except TransientFailure as failure:
        if attempt.waits(failure):
            raise
    except InputFailure as failure:
        logger.info("archive %s failed: %s", row.id, failure.code)
        attempt.fail(failure)


def _claim(context: WorkerContext, archive_id: UUID) -> ViewArchiveRow | None:
    """None where it has ended, was deleted, or is at another worker's."""
    row, now = ViewArchiveRow, func.clock_timestamp()
    free = or_(row.lease_expires_at.is_(None), row.lease_expires_at < now)
    query = select(row).where(row.id == archive_id, row.status == OwedStatus.QUEUED, free)
    with transaction(context.engine) as session:
        found = session.scalar(query.with_for_update(skip_locked=True))
        if found is not None:
            found.attempt += 1
            found.lease_expires_at = now + timedelta(seconds=context.settings.lease_seconds)
        return found


def _written(images: ViewImages) -> StoredBlob:
    try:
        return images.write()
    except TooLarge as error:
        raise InputFailure("views-too-large", "The images are larger than they can be.") from error


class _Attempt:
    """The row's count of attempts tells it from any other."""

    def __init__(self, context: WorkerContext, row: ViewArchiveRow) -> None:
        self._context = context
        self._id, self._attempt = row.id, row.attempt

    def extend(self, session: Session, seconds: float) -> bool:
        """False where the row is another's now, or gone."""
        return self._changed(session, lease_expires_at=func.clock_timestamp() + timedelta(seconds=seconds))

    def finish(self, stored: StoredBlob) -> None:
        """Raises LeaseLost."""
        ended = {"status": OwedStatus.SUCCEEDED, "finished_at": func.clock_timestamp()}
        with transaction(self._context.engine) as session:
            self._context.keep_blob(session, stored.digest)
            if not self._changed(session, stored_digest=stored.digest, size=stored.size, **ended):
                raise LeaseLost

    def fail(self, failure: InputFailure) -> None:
        ended = {"status": OwedStatus.FAILED, "finished_at": func.clock_timestamp()}
        with transaction(self._context.engine) as session:
            session.execute(self._own().values(problem=failure.to_problem(), size=0, **ended))

    def give_back(self) -> None:
        """To whoever comes first; the attempt does not count."""
        with transaction(self._context.engine) as session:
            session.execute(self._own().values(lease_expires_at=None, attempt=self._attempt - 1))

    def waits(self, failure: TransientFailure) -> bool:
        """As `give_back`; False where it failed, since the images' source was away for too long."""
        with transaction(self._context.engine) as session:
            row = session.get(ViewArchiveRow, self._id, with_for_update=True)
            audit = None if row is None else session.get(AuditRow, row.audit_id)
            if row is None or audit is None or row.attempt != self._attempt:
                return True
            final = note_try(session, row, audit.dataset_id, failure, self._context.settings)
        if final is None:
            self.give_back()
        else:
            self.fail(final)
        return final is None

    def _changed(self, session: Session, **values: Any) -> bool:
        return session.execute(self._own().values(**values).returning(ViewArchiveRow.id)).one_or_none() is not None

    def _own(self) -> Update:
        row = ViewArchiveRow
        mine = (row.id == self._id, row.attempt == self._attempt, row.status == OwedStatus.QUEUED)
        return update(row).where(*mine)
