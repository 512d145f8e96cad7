"""What may be asked of an audit in the state that it is in."""

from app.db.tables import AuditRow
from app.domain.vocabulary import LIVE, AuditStatus
from app.errors import Conflict, Gone


def check_finished(audit: AuditRow) -> None:
    """Raises Conflict unless there are results."""
    if audit.status == AuditStatus.FAILED:
        raise Conflict("audit-failed", f"The audit failed: {(audit.problem or {}).get('code')}.")
    if audit.status == AuditStatus.CANCELLED:
        raise Conflict("audit-cancelled", "The audit was cancelled.")
    if audit.status != AuditStatus.SUCCEEDED:
        raise Conflict("audit-not-finished", f"The audit is {audit.status}.")


def check_ended(audit: AuditRow) -> None:
    """Raises Conflict while it runs."""
    if audit.status in LIVE:
        raise Conflict("audit-not-finished", f"The audit is {audit.status}; cancel it first.")


def check_kept(audit: AuditRow, *, maps: bool = False) -> None:
    """Raises Gone where housekeeping removed the scores (or the maps) of an audit that ended long ago."""
    if audit.scores_removed_at is not None:
        raise Gone("scores-removed", "The scores per sample were removed as old; the results are still there.")
    if maps and audit.maps_removed_at is not None:
        raise Gone("maps-removed", "The salience maps were removed as old; scores and results are still there.")
