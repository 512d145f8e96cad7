"""Makes an audit's comparisons again by another similarity: claims the rescoring, computes it, stores the document."""

import logging
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import RescoreRow
from app.domain.vocabulary import ComparisonStatus
from app.errors import InputFailure
from worker.context import WorkerContext
from worker.results.rescored_document import rescored_document
from worker.shards.store import read_inputs

logger = logging.getLogger(__name__)


def rescore_audit(context: WorkerContext, rescore_id: UUID) -> None:
    """End a queued rescoring; running it twice, even at the same time, changes nothing.

    The attempt is counted before the work begins, so that work which kills its worker is given up at last.
    """
    with transaction(context.engine) as session:
        row = _queued(session, rescore_id)
        if row is None:
            return
        row.attempt += 1
        if row.attempt > context.settings.max_shard_attempts:
            _fail(session, row, InputFailure("rescoring-crashed-worker", "The rescoring crashed its worker."))
    with transaction(context.engine) as session:
        # One snapshot for all reads: maps that are removed meanwhile are neither half read nor kept from removal.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        row = _queued(session, rescore_id)
        if row is not None:
            row.document = rescored_document(session, read_inputs(session, row.audit_id), row.similarity)
            row.status, row.finished_at = ComparisonStatus.SUCCEEDED, session.scalar(func.clock_timestamp())


def _queued(session: Session, rescore_id: UUID) -> RescoreRow | None:
    """Locked; None where it has ended or another worker is at it."""
    query = select(RescoreRow).where(RescoreRow.id == rescore_id, RescoreRow.status == ComparisonStatus.QUEUED)
    return session.scalar(query.with_for_update(skip_locked=True))


def _fail(session: Session, row: RescoreRow, failure: InputFailure) -> None:
    row.status, row.problem = ComparisonStatus.FAILED, failure.to_problem()
    row.finished_at = session.scalar(func.clock_timestamp())
    logger.info("rescoring %s failed: %s", row.id, failure.code)
