"""SQL of policies and their runs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.pages import Rows, newest
from app.db.tables import AuditRow, ModelRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import AuditStatus, ResourceStatus
from app.errors import NotFound
from app.hooks.events import RegistryEvent
from app.hooks.service import DONE, FAILED

IMPORTING = "importing"
"""The first stage of a run."""


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


def begin_run(session: Session, policy_id: UUID, event: RegistryEvent, hook_id: UUID | None = None) -> UUID:
    """Of the one that the policy has for this version: whichever event comes, and however often."""
    row = PolicyRunRow
    values = {
        "id": new_id(),
        "policy_id": policy_id,
        "hook_id": hook_id,
        "model_name": event.model_name,
        "version": event.version,
        "source": event.source,
        "stage": IMPORTING,
    }
    once = [row.policy_id, row.model_name, row.version]
    session.execute(insert(row).values(values).on_conflict_do_nothing(index_elements=once))
    same = (row.policy_id == policy_id, row.model_name == event.model_name, row.version == event.version)
    return session.scalars(select(row.id).where(*same)).one()


def begin_again(session: Session, policy_id: UUID) -> int:
    """The run of the newest version of each model, where it has ended; how many."""
    row = PolicyRunRow
    newest_of_each = (
        select(row.id)
        .where(row.policy_id == policy_id)
        .ext(distinct_on(row.model_name))
        .order_by(row.model_name, row.id.desc())
    )
    anew = {"stage": IMPORTING, "audit_id": None, "reason": None, "attempts": 0, "next_at": func.clock_timestamp()}
    ended = update(row).where(row.id.in_(newest_of_each), row.stage.in_((DONE, FAILED))).values(anew)
    return len(session.execute(ended.returning(row.id)).all())


def models_of_recipe(session: Session, run: PolicyRunRow, most: int) -> list[UUID]:
    """Of other versions that the policy met, the newest, in the order in which it met them; those that are ready."""
    query = (
        select(ModelRow.id)
        .join(PolicyRunRow, PolicyRunRow.model_id == ModelRow.id)
        .where(PolicyRunRow.policy_id == run.policy_id, PolicyRunRow.recipe == run.recipe, PolicyRunRow.id != run.id)
        .where(ModelRow.status == ResourceStatus.READY)
        .order_by(PolicyRunRow.id.desc())
        .limit(most)
    )
    return list(session.scalars(query))[::-1]


def last_done(session: Session, run: PolicyRunRow) -> PolicyRunRow | None:
    """The newest of another version of the model that has its audit under this policy."""
    row = PolicyRunRow
    query = (
        select(row)
        .where(row.policy_id == run.policy_id, row.model_name == run.model_name, row.version != run.version)
        .where(row.stage == DONE, row.audit_id.is_not(None))
        .order_by(row.id.desc())
    )
    return session.scalar(query.limit(1))


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
