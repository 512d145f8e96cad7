"""SQL of policies, as they are shown."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import ConnectionRow, HookRow, PolicyRow, PolicyRunRow
from app.errors import NotFound
from app.registries.uris import fetching_kinds


def get_policy(session: Session, policy_id: UUID) -> PolicyRow:
    """Raises NotFound."""
    row = session.get(PolicyRow, policy_id)
    if row is None:
        raise NotFound("policy")
    return row


def list_policies(session: Session, limit: int, after: UUID | None) -> Rows[PolicyRow]:
    """The newest first."""
    return newest(session, select(PolicyRow), PolicyRow, limit, after)


def policies_of(session: Session, hook: HookRow) -> Sequence[PolicyRow]:
    """That may follow its events, the oldest first: those of its connection, or, where it has none, those of every
    connection over which what the events name could be fetched."""
    query = select(PolicyRow).order_by(PolicyRow.id)
    if hook.connection_id is not None:
        query = query.where(PolicyRow.connection_id == hook.connection_id)
    else:
        kinds = fetching_kinds((hook.mapping or {}).get("below"))
        query = query.join(ConnectionRow, ConnectionRow.id == PolicyRow.connection_id)
        query = query.where(ConnectionRow.kind.in_(kinds))
    return session.scalars(query).all()


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
