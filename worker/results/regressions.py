"""What a comparison with the version before found, written down with it and told to those who listen."""

from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ComparisonRow, VersionComparisonRow
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.regressions import regressions_in
from app.history.repository import version_comparisons
from app.webhooks.events import regression_found
from app.webhooks.outbox import tell


def note_regressions(session: Session, comparison: ComparisonRow, document: ComparisonResults) -> None:
    """In the transaction of the comparison's end; nothing where somebody asked for it."""
    for link, now, before in version_comparisons(session, VersionComparisonRow.comparison_id == comparison.id):
        audit = session.get_one(AuditRow, link.audit_id)
        link.regressions = regressions_in(document, Protocol.model_validate(audit.protocol))
        if link.regressions:
            tell(session, comparison.tenant_id, regression_found(link, now, before))
