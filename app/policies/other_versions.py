"""SQL of a run's other versions: which are on their way, which models and which audits they have."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.order import is_earlier, newest_first
from app.db.tables import AuditRow, ModelRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import AuditStatus, ResourceStatus, RunStage
from app.registries.base import Version


class AuditedVersion(NamedTuple):
    """Another version of a run's model, with its audit under the policy."""

    version: str
    registered_at: datetime | None
    audit_id: UUID
    is_earlier: bool

    def is_of(self, holder: Version) -> bool:
        """Of two that had one number, since one was deleted and made anew, the one that is there."""
        is_unknown = None in {self.registered_at, holder.registered_at}
        return self.version == holder.version and (is_unknown or self.registered_at == holder.registered_at)


def version_before(session: Session, run: PolicyRunRow) -> str | None:
    """Of the model, one that is older, or whose place nobody knows yet, and is on its way to its verdict.

    One that waits for people, who may never come, is not waited for.
    """
    row = PolicyRunRow
    query = (
        select(row.version)
        .outerjoin(ModelRow, ModelRow.id == row.model_id)
        .where(row.policy_id == run.policy_id, row.model_name == run.model_name, row.id != run.id)
        .where(row.stage.in_((RunStage.IMPORTING, RunStage.AUDITING, RunStage.WRITING, RunStage.MOVING)))
        .where(or_(row.registered_at.is_(None), is_earlier(row, run)))
        .where(or_(ModelRow.id.is_(None), ModelRow.status != ResourceStatus.NEEDS_DESCRIPTION))
    )
    return session.scalar(query.limit(1))


def model_of_version(session: Session, run: PolicyRunRow, connection_id: UUID) -> ModelRow | None:
    """That another policy has fetched, of the same version."""
    row = PolicyRunRow
    query = (
        select(ModelRow)
        .join(row, row.model_id == ModelRow.id)
        .join(PolicyRow, PolicyRow.id == row.policy_id)
        .where(PolicyRow.connection_id == connection_id, row.model_name == run.model_name, row.version == run.version)
        .where(row.registered_at == run.registered_at, ModelRow.status != ResourceStatus.REJECTED)
        .order_by(ModelRow.id.desc())
    )
    return session.scalar(query.limit(1))


def models_of_recipe(session: Session, run: PolicyRunRow, most: int) -> list[UUID]:
    """Of other versions that the policy met, the newest, in their order; those that are ready."""
    row = PolicyRunRow
    query = (
        select(ModelRow.id)
        .join(row, row.model_id == ModelRow.id)
        .where(row.policy_id == run.policy_id, row.recipe == run.recipe, row.id != run.id)
        .where(ModelRow.status == ResourceStatus.READY)
        .order_by(*newest_first(row))
        .limit(most)
    )
    return list(session.scalars(query))[::-1]


def last_done(session: Session, run: PolicyRunRow) -> PolicyRunRow | None:
    """The newest of another version of the model that has its audit under this policy."""
    row = PolicyRunRow
    query = (
        select(row)
        .where(row.policy_id == run.policy_id, row.model_name == run.model_name, row.id != run.id)
        .where(row.stage == RunStage.DONE, row.audit_id.is_not(None))
        .order_by(*newest_first(row))
    )
    return session.scalar(query.limit(1))


def audited_versions(session: Session, run: PolicyRunRow) -> Sequence[AuditedVersion]:
    """Other versions of the model with an audit under this policy that succeeded, the newest first."""
    row = PolicyRunRow
    query = (
        select(row.version, row.registered_at, AuditRow.id, is_earlier(row, run))
        .join(AuditRow, AuditRow.id == row.audit_id)
        .where(row.policy_id == run.policy_id, row.model_name == run.model_name, row.id != run.id)
        .where(AuditRow.status == AuditStatus.SUCCEEDED)
        .order_by(*newest_first(row))
    )
    return [AuditedVersion(*found) for found in session.execute(query)]
