"""SQL of policies, as they are shown."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import PolicyRow, PolicyRunRow
from app.errors import NotFound


def get_policy(session: Session, policy_id: UUID) -> PolicyRow:
    """Raises NotFound."""
    row = session.get(PolicyRow, policy_id)
    if row is None:
        raise NotFound("policy")
    return row


def list_policies(session: Session, limit: int, after: UUID | None) -> Rows[PolicyRow]:
    """The newest first."""
    return newest(session, select(PolicyRow), PolicyRow, limit, after)


def policies_of(session: Session, connection_id: UUID) -> Sequence[PolicyRow]:
    """That follow events of that registry, the oldest first."""
    return session.scalars(
        select(PolicyRow).where(PolicyRow.connection_id == connection_id).order_by(PolicyRow.id)
    ).all()


def list_runs(session: Session, policy_id: UUID, limit: int, after: UUID | None) -> Rows[PolicyRunRow]:
    """The newest first."""
    row = PolicyRunRow
    return newest(session, select(row).where(row.policy_id == policy_id), row, limit, after)


def get_run(session: Session, policy_id: UUID, run_id: UUID, *, lock: bool = False) -> PolicyRunRow:
    """Raises NotFound."""
    row = session.get(PolicyRunRow, run_id, with_for_update=lock)
    if row is None or row.policy_id != policy_id:
        raise NotFound("run")
    return row
