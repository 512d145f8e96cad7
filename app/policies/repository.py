"""SQL of policies and their runs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.pages import Rows, newest
from app.db.tables import AuditRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import AuditStatus
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


def begin_run(session: Session, policy_id: UUID, model_name: str, version: str) -> UUID:
    """Of the one that the policy has for this version: whichever event comes, and however often."""
    row = PolicyRunRow
    values = {
        "id": new_id(),
        "policy_id": policy_id,
        "model_name": model_name,
        "version": version,
        "stage": "importing",
    }
    once = [row.policy_id, row.model_name, row.version]
    session.execute(insert(row).values(values).on_conflict_do_nothing(index_elements=once))
    same = (row.policy_id == policy_id, row.model_name == model_name, row.version == version)
    return session.scalars(select(row.id).where(*same)).one()


def audited_versions(session: Session, run: PolicyRunRow) -> Sequence[tuple[str, UUID]]:
    """Other versions of the model with an audit under this policy that succeeded, the newest first."""
    query = (
        select(PolicyRunRow.version, AuditRow.id)
        .join(AuditRow, AuditRow.id == PolicyRunRow.audit_id)
        .where(PolicyRunRow.policy_id == run.policy_id, PolicyRunRow.model_name == run.model_name)
        .where(PolicyRunRow.version != run.version, AuditRow.status == AuditStatus.SUCCEEDED)
        .order_by(PolicyRunRow.id.desc())
    )
    return [(version, audit_id) for version, audit_id in session.execute(query)]
