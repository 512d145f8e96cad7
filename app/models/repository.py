"""SQL of models."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditModelRow, ModelRow, RunGroupModelRow
from app.domain.vocabulary import ResourceStatus
from app.errors import NotFound


def get_model(session: Session, model_id: UUID, *, lock: bool = False) -> ModelRow:
    """Raises NotFound."""
    row = session.get(ModelRow, model_id, with_for_update=lock)
    if row is None:
        raise NotFound("model")
    return row


def list_models(
    session: Session, limit: int, after: UUID | None, *, status: ResourceStatus | None, name: str | None
) -> Sequence[ModelRow]:
    """The newest first; one more than ``limit``."""
    query = select(ModelRow).order_by(ModelRow.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(ModelRow.id < after)
    if status is not None:
        query = query.where(ModelRow.status == status)
    if name is not None:
        query = query.where(ModelRow.name == name)
    return session.scalars(query).all()


def user_of(session: Session, model_id: UUID) -> str | None:
    """A run group or an audit that refers to it."""
    query = select(RunGroupModelRow.run_group_id).where(RunGroupModelRow.model_id == model_id)
    if found := session.scalar(query.limit(1)):
        return f"run group {found}"
    found = session.scalar(select(AuditModelRow.audit_id).where(AuditModelRow.model_id == model_id).limit(1))
    return f"audit {found}" if found else None
