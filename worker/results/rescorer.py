"""Makes an audit's comparisons again by another similarity."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import RescoreRow
from app.errors import InputFailure
from worker.lifecycle.context import WorkerContext
from worker.results.owed import end_queued
from worker.results.rescored_document import rescored_document
from worker.shards.store import read_inputs

CRASHED = InputFailure("rescoring-crashed-worker", "The rescoring crashed its worker.")


def rescore_audit(context: WorkerContext, rescore_id: UUID) -> None:
    """End a queued rescoring."""
    end_queued(context, RescoreRow, rescore_id, _compute, CRASHED)


def _compute(session: Session, row: RescoreRow) -> None:
    row.document = rescored_document(session, read_inputs(session, row.audit_id), row.similarity)
