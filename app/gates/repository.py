"""SQL of gates."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.tables import GateRow
from app.errors import NotFound


def insert_gate(session: Session, name: str, conditions: list[str]) -> GateRow:
    """Conditions in their canonical form."""
    row = GateRow(id=new_id(), name=name, conditions=conditions)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def get_gate(session: Session, gate_id: UUID) -> GateRow:
    """Raises NotFound."""
    row = session.get(GateRow, gate_id)
    if row is None:
        raise NotFound("gate")
    return row


def list_gates(session: Session, limit: int, after: UUID | None) -> Sequence[GateRow]:
    """The newest first; one more than ``limit``."""
    query = select(GateRow).order_by(GateRow.id.desc()).limit(limit + 1)
    return session.scalars(query if after is None else query.where(GateRow.id < after)).all()
