"""The gate and the baseline that a request for an audit names."""

from sqlalchemy.orm import Session

from app.audits.repository import map_set_ids_of
from app.audits.schemas import AuditRequest
from app.db.tables import AuditRow, GateRow
from app.domain.audits.differing_fields import OPTIONAL, differing_options
from app.domain.gates.conditions import NotWorse
from app.domain.gates.stored import StoredGate
from app.domain.measures import AGREEMENT
from app.domain.problems import planning
from app.domain.protocol import Protocol
from app.domain.vocabulary import AuditStatus
from app.errors import Unprocessable
from app.gates.service import conditions_of, freeze


def frozen_gate(session: Session, request: AuditRequest, protocol: Protocol) -> StoredGate | None:
    """The gate as it is now; None where none is named.

    Raises Unprocessable ``unknown-gate``, ``gate-needs-baseline``, ``gate-needs-map-sets``, ``unknown-baseline``,
    ``baseline-differs``, or Conflict ``baseline-not-finished``.
    """
    if request.gate_id is None:
        return None
    gate = session.get(GateRow, request.gate_id)
    if gate is None:
        raise planning.UNKNOWN_GATE.error(id=request.gate_id)
    if request.baseline_audit_id is not None:
        _check_baseline(session, request, protocol)
        _check_same_map_sets(session, request, gate)
    return freeze(gate, request.baseline_audit_id, protocol)


def _check_baseline(session: Session, request: AuditRequest, protocol: Protocol) -> None:
    """Measured in the same way; the images may be others, and a measure may be computed by one of the two only."""
    baseline = session.get(AuditRow, request.baseline_audit_id)
    if baseline is None:
        raise planning.UNKNOWN_BASELINE.error(id=request.baseline_audit_id)
    if baseline.status != AuditStatus.SUCCEEDED:
        raise planning.BASELINE_NOT_FINISHED.error(status=baseline.status)
    differing = [path for path in differing_options(baseline.protocol, protocol.to_json()) if path not in OPTIONAL]
    if differing:
        detail = planning.BASELINE_DIFFERS.detail(fields=", ".join(differing))
        errors: list[dict[str, object]] = [
            {"loc": ["body", "baseline_audit_id"], "msg": f"{path} differs"} for path in differing
        ]
        raise Unprocessable(planning.BASELINE_DIFFERS.code, detail, errors=errors)


def _check_same_map_sets(session: Session, request: AuditRequest, gate: GateRow) -> None:
    """The first map set of one audit is not the first of another: agreement compares where they are the same."""
    compared = [one.quantity for one in conditions_of(gate) if isinstance(one.limit, NotWorse)]
    baseline = request.baseline_audit_id
    if baseline is None or all(one.measure != AGREEMENT.name for one in compared):
        return
    if map_set_ids_of(session, [baseline]).get(baseline, []) != (request.map_set_ids or []):
        raise planning.BASELINE_OF_OTHER_MAP_SETS.error()
