"""Freezes a gate into the audit that names it."""

import hashlib
import json
from uuid import UUID

from app.db.tables import GateRow
from app.domain.gates.conditions import Against, Condition, NotWorse, Quantity
from app.domain.gates.parser import parse_condition
from app.domain.gates.stored import StoredGate
from app.domain.measures import MEASURES
from app.domain.problems import planning
from app.domain.protocol import Protocol


def gate_digest(conditions: list[str]) -> str:
    """``sha256:`` and the hash of the conditions as a JSON list."""
    return f"sha256:{hashlib.sha256(json.dumps(conditions).encode()).hexdigest()}"


def conditions_of(gate: GateRow) -> list[Condition]:
    """Also such as new gates may not have."""
    return [parse_condition(text, stored=True) for text in gate.conditions]


def freeze(gate: GateRow, baseline_audit_id: UUID | None, protocol: Protocol) -> StoredGate:
    """What the audit keeps. Raises Unprocessable ``gate-needs-baseline`` and ``gate-needs-map-sets`` where a condition
    could never be met."""
    parsed = conditions_of(gate)
    if baseline_audit_id is None and any(isinstance(one.limit, NotWorse) and not one.missing_ok for one in parsed):
        raise planning.GATE_NEEDS_BASELINE.error()
    _check_map_sets(parsed, protocol)
    return {
        "gate_id": str(gate.id),
        "name": gate.name,
        "conditions": gate.conditions,
        "digest": gate_digest(gate.conditions),
        "baseline_audit_id": None if baseline_audit_id is None else str(baseline_audit_id),
    }


def _check_map_sets(conditions: list[Condition], protocol: Protocol) -> None:
    """Which views of a family there are, the audit's own map sets say."""
    known = {(column.measure, column.view) for column in protocol.columns()}
    for condition in conditions:
        for quantity in _quantities(condition):
            if condition.missing_ok or not _is_of_family(quantity) or (quantity.measure, quantity.view) in known:
                continue
            has = ", ".join(view for measure, view in sorted(known) if measure == quantity.measure) or "none"
            raise planning.GATE_NEEDS_MAP_SETS.error(asked=f"{quantity.measure}.{quantity.view}", known=has)


def _quantities(condition: Condition) -> tuple[Quantity, ...]:
    limit = condition.limit
    return (condition.quantity, limit.quantity) if isinstance(limit, Against) else (condition.quantity,)


def _is_of_family(quantity: Quantity) -> bool:
    families = MEASURES[quantity.measure].gates.families if quantity.measure in MEASURES else ()
    return quantity.view is not None and any(family.has(quantity.view) for family in families)
