"""SQL of gates."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.pages import Rows, newest
from app.db.tables import GateRow
from app.errors import NotFound
from app.gates.schemas import GateRequest
from app.naming.filters import VersionFilter, narrowed_to_version
from app.naming.versions import next_version


def insert_gate(session: Session, request: GateRequest) -> GateRow:
    """Conditions in their canonical form."""
    row = GateRow(
        id=new_id(),
        name=request.name,
        version=next_version(session, GateRow, request.name),
        about=request.description,
        extra=request.metadata,
        tags=request.tags,
        conditions=request.conditions,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def get_gate(session: Session, gate_id: UUID, *, lock: bool = False) -> GateRow:
    """Raises NotFound."""
    row = session.get(GateRow, gate_id, with_for_update=lock)
    if row is None:
        raise NotFound("gate")
    return row


def list_gates(session: Session, limit: int, after: UUID | None, wanted: VersionFilter) -> Rows[GateRow]:
    """The newest first."""
    return newest(session, narrowed_to_version(select(GateRow), GateRow, wanted), GateRow, limit, after)
