"""Documents that somebody asked for and waits for: claimed, computed, stored."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import ComparisonRow, RescoreRow
from app.domain.vocabulary import OwedStatus
from app.errors import InputFailure
from worker.lifecycle.context import WorkerContext

logger = logging.getLogger(__name__)

Owed = TypeVar("Owed", ComparisonRow, RescoreRow)


def end_queued(
    context: WorkerContext,
    table: type[Owed],
    row_id: UUID,
    compute: Callable[[Session, Owed], None],
    crashed: InputFailure,
) -> None:
    """End what is queued: ``compute`` sets its document, or raises InputFailure. Running it twice, even at the same
    time, changes nothing.

    The attempt is counted before the work begins, so that work which kills its worker is given up at last, as
    ``crashed``.
    """
    with transaction(context.engine) as session:
        row = _queued(session, table, row_id)
        if row is None:
            return
        row.attempt += 1
        if row.attempt > context.settings.max_shard_attempts:
            _fail(session, row, crashed)
    with transaction(context.engine) as session:
        # One snapshot for all reads: what is removed meanwhile is neither half read nor kept from removal.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        row = _queued(session, table, row_id)
        if row is None:
            return
        try:
            compute(session, row)
            row.status, row.finished_at = OwedStatus.SUCCEEDED, session.scalar(func.clock_timestamp())
        except InputFailure as failure:
            _fail(session, row, failure)


def _queued(session: Session, table: type[Owed], row_id: UUID) -> Owed | None:
    """Locked; None where it has ended or another worker is at it."""
    query = select(table).where(table.id == row_id, table.status == OwedStatus.QUEUED)
    return session.scalar(query.with_for_update(skip_locked=True))


def _fail(session: Session, row: ComparisonRow | RescoreRow, failure: InputFailure) -> None:
    row.status, row.problem = OwedStatus.FAILED, failure.to_problem()
    row.finished_at = session.scalar(func.clock_timestamp())
    logger.info("%s %s failed: %s", row.__tablename__, row.id, failure.code)
