"""Checks that audits can be compared and writes the comparison; never commits.

A worker computes it: a bootstrap over a million samples takes minutes and hundreds of megabytes, which belong neither
in a request nor beside the API's event loop.
"""

from sqlalchemy.orm import Session

from app.audits.repository import model_ids_of
from app.audits.states import check_finished, check_kept
from app.comparisons.repository import lock_audits
from app.comparisons.schemas import MAX_SIDES, ComparisonRequest
from app.db.identifiers import new_id
from app.db.tables import AuditRow, ComparisonRow
from app.domain.audits.differing_fields import Basis, differing_fields
from app.domain.audits.subjects import subjects_of
from app.domain.problems import comparisons
from app.domain.protocol import Protocol
from app.domain.vocabulary import ComparisonUnit, OwedStatus
from app.errors import Unprocessable


def request_comparison(session: Session, request: ComparisonRequest) -> ComparisonRow:
    """Raises Unprocessable ``unknown-audits``, ``too-few-sides``, ``too-many-sides``, ``audits-differ``; Conflict;
    Gone where an audit's scores were removed as old."""
    found = lock_audits(session, request.audit_ids)
    for audit, _ in found:
        check_finished(audit)
        check_kept(audit)
    _check_sides(session, request, [audit for audit, _ in found])
    _check_basis(found)
    row = ComparisonRow(
        id=new_id(),
        name=request.name,
        by=request.by,
        audit_ids=request.audit_ids,
        status=OwedStatus.QUEUED,
        attempt=0,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def _check_sides(session: Session, request: ComparisonRequest, audits: list[AuditRow]) -> None:
    sides = len(request.audit_ids)
    models = model_ids_of(session, request.audit_ids)
    if not all(models.values()):
        raise comparisons.MAP_SETS_ALONE.error()
    if request.by is ComparisonUnit.MODEL:
        protocols = {audit.id: Protocol.model_validate(audit.protocol) for audit in audits}
        subjects = [one for audit_id, own in models.items() for one in subjects_of(protocols[audit_id], len(own))]
        sides = sum(one.beside is None for one in subjects)
    if sides < 2:
        raise comparisons.TOO_FEW_SIDES.error()
    if sides > MAX_SIDES:
        raise comparisons.TOO_MANY_SIDES.error(most=MAX_SIDES, sides=sides)


def _check_basis(found: list[tuple[AuditRow, str | None]]) -> None:
    """Every audit against the first one."""
    first, *others = (Basis(digest, audit.sample_positions, audit.protocol) for audit, digest in found)
    differing = {place: differing_fields(first, other) for place, other in enumerate(others, start=1)}
    fields = sorted({path for paths in differing.values() for path in paths})
    if fields:
        errors: list[dict[str, object]] = [
            {"loc": ["body", "audit_ids", place], "msg": f"{path} differs from the first audit's"}
            for place, paths in differing.items()
            for path in paths
        ]
        detail = comparisons.AUDITS_DIFFER.detail(fields=", ".join(fields))
        raise Unprocessable(comparisons.AUDITS_DIFFER.code, detail, errors=errors)
