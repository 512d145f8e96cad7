"""SQL of comparisons."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from app.db.locking import lock_all
from app.db.pages import Rows, newest
from app.db.tables import AuditResultsRow, AuditRow, ComparisonRow, DatasetRow
from app.domain.problems import comparisons
from app.domain.results.comparisons import ComparisonResults
from app.errors import NotFound
from app.naming.filters import Filter, narrowed
from app.results.reading import current, current_comparison, is_current


def lock_audits(session: Session, audit_ids: Sequence[UUID]) -> list[tuple[AuditRow, str | None]]:
    """In the order of the ids, each with its data set's digest. Raises Unprocessable ``unknown-audits``."""
    audits = lock_all(session, AuditRow, audit_ids, comparisons.UNKNOWN_AUDITS)
    query = select(DatasetRow.id, DatasetRow.digest).where(DatasetRow.id.in_({one.dataset_id for one in audits}))
    digests = dict(session.execute(query).tuples().all())
    return [(one, digests[one.dataset_id]) for one in audits]


def get_comparison(session: Session, comparison_id: UUID) -> ComparisonRow:
    """Raises NotFound."""
    row = session.get(ComparisonRow, comparison_id)
    if row is None:
        raise NotFound("comparison")
    return row


def results_of_comparison(session: Session, row: ComparisonRow) -> ComparisonResults | None:
    """Its tables, None until it has succeeded.

    Those of earlier versions did not say which differences say nothing: the audits that are still there tell.
    """
    if row.document is None or is_current(row.document):
        return row.document
    found = session.scalars(select(AuditResultsRow).where(AuditResultsRow.audit_id.in_(row.audit_ids)))
    return current_comparison(row.document, {str(one.audit_id): current(one.document) for one in found})


def lock_comparison(session: Session, comparison_id: UUID) -> ComparisonRow:
    """For deletion. Raises NotFound, or Conflict ``comparison-running`` while a worker holds it, maybe for minutes."""
    query = select(ComparisonRow).where(ComparisonRow.id == comparison_id).with_for_update(skip_locked=True)
    row = session.scalar(query.options(defer(ComparisonRow.document)))
    if row is None:
        get_comparison(session, comparison_id)
        raise comparisons.RUNNING.error()
    return row


def list_comparisons(session: Session, limit: int, after: UUID | None, wanted: Filter) -> Rows[ComparisonRow]:
    """The newest first, without their documents."""
    query = narrowed(select(ComparisonRow), ComparisonRow, wanted).options(defer(ComparisonRow.document))
    return newest(session, query, ComparisonRow, limit, after)
