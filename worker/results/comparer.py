"""Compares audits that looked at the same samples: claims the comparison, computes it, stores the document."""

import logging
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import ComparisonRow
from app.domain.vocabulary import ComparisonStatus
from app.errors import InputFailure
from worker.context import WorkerContext
from worker.results.comparison_document import comparison_document
from worker.results.regressions import note_regressions

logger = logging.getLogger(__name__)


def compare_audits(context: WorkerContext, comparison_id: UUID) -> None:
    """End a queued comparison; running it twice, even at the same time, changes nothing.

    The attempt is counted before the work begins, so that work which kills its worker is given up at last.
    """
    with transaction(context.engine) as session:
        row = _queued(session, comparison_id)
        if row is None:
            return
        row.attempt += 1
        if row.attempt > context.settings.max_shard_attempts:
            _fail(session, row, InputFailure("comparison-crashed-worker", "The comparison crashed its worker."))
    with transaction(context.engine) as session:
        # One snapshot for all reads: an audit that is deleted meanwhile is neither half read nor kept from deletion.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        row = _queued(session, comparison_id)
        if row is None:
            return
        try:
            row.document = comparison_document(session, row)
            row.status, row.finished_at = ComparisonStatus.SUCCEEDED, session.scalar(func.clock_timestamp())
            note_regressions(session, row, row.document)
        except InputFailure as failure:
            _fail(session, row, failure)


def _queued(session: Session, comparison_id: UUID) -> ComparisonRow | None:
    """Locked; None where it has ended or another worker is at it."""
    query = select(ComparisonRow).where(
        ComparisonRow.id == comparison_id, ComparisonRow.status == ComparisonStatus.QUEUED
    )
    return session.scalar(query.with_for_update(skip_locked=True))


def _fail(session: Session, row: ComparisonRow, failure: InputFailure) -> None:
    row.status, row.problem = ComparisonStatus.FAILED, failure.to_problem()
    row.finished_at = session.scalar(func.clock_timestamp())
    logger.info("comparison %s failed: %s", row.id, failure.code)
