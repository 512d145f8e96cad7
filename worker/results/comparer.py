"""Compares audits that looked at the same samples."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import ComparisonRow
from app.errors import InputFailure
from worker.lifecycle.context import WorkerContext
from worker.results.comparison_document import comparison_document
from worker.results.owed import end_queued
from worker.results.regressions import note_regressions

CRASHED = InputFailure("comparison-crashed-worker", "The comparison crashed its worker.")


def compare_audits(context: WorkerContext, comparison_id: UUID) -> None:
    """End a queued comparison."""
    end_queued(context, ComparisonRow, comparison_id, _compute, CRASHED)


def _compute(session: Session, row: ComparisonRow) -> None:
    row.document = comparison_document(session, row)
    note_regressions(session, row, row.document)
