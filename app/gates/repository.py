"""SQL of gates."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.pages import Rows, newest
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


def list_gates(session: Session, limit: int, after: UUID | None) -> Rows[GateRow]:
    """The newest first."""
    return newest(session, select(GateRow), GateRow, limit, after)
