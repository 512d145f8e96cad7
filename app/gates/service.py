"""Freezes a gate into the audit that names it."""

import hashlib
import json
from uuid import UUID

from app.db.tables import GateRow
from app.domain.gates.conditions import NotWorse
from app.domain.gates.parser import parse_condition
from app.domain.gates.verdicts import StoredGate
from app.errors import Unprocessable


def gate_digest(conditions: list[str]) -> str:
    """``sha256:`` and the hash of the conditions as a JSON list."""
    return f"sha256:{hashlib.sha256(json.dumps(conditions).encode()).hexdigest()}"


def freeze(gate: GateRow, baseline_audit_id: UUID | None) -> StoredGate:
    """What the audit keeps. Raises Unprocessable ``gate-needs-baseline`` where a condition could never be met."""
    parsed = [parse_condition(text, stored=True) for text in gate.conditions]
    if baseline_audit_id is None and any(isinstance(one.limit, NotWorse) and not one.missing_ok for one in parsed):
        detail = "A condition of the gate compares with a baseline: name it by baseline_audit_id."
        raise Unprocessable("gate-needs-baseline", detail)
    return {
        "gate_id": str(gate.id),
        "name": gate.name,
        "conditions": gate.conditions,
        "digest": gate_digest(gate.conditions),
        "baseline_audit_id": None if baseline_audit_id is None else str(baseline_audit_id),
    }
