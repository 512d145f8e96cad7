"""What may be asked of an audit in the state that it is in."""

from app.db.tables import AuditRow
from app.domain.problems import audits
from app.domain.vocabulary import LIVE, AuditStatus


def check_finished(audit: AuditRow) -> None:
    """Raises Conflict unless there are results."""
    if audit.status == AuditStatus.FAILED:
        raise audits.FAILED.error(code=(audit.problem or {}).get("code"))
    if audit.status == AuditStatus.CANCELLED:
        raise audits.CANCELLED.error()
    if audit.status != AuditStatus.SUCCEEDED:
        raise audits.NOT_FINISHED.error(status=audit.status)


def check_ended(audit: AuditRow) -> None:
    """Raises Conflict while it runs."""
    if audit.status in LIVE:
        raise audits.STILL_LIVE.error(status=audit.status)


def check_kept(audit: AuditRow, *, maps: bool = False) -> None:
    """Raises Gone where housekeeping removed the scores (or the maps) of an audit that ended long ago."""
    if audit.scores_removed_at is not None:
        raise audits.SCORES_REMOVED.error()
    if maps and audit.maps_removed_at is not None:
        raise audits.MAPS_REMOVED.error()
