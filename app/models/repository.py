"""SQL of models."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import ModelRow, RunGroupModelRow
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


def run_group_of(session: Session, model_id: UUID) -> UUID | None:
    """One that refers to it."""
    query = select(RunGroupModelRow.run_group_id).where(RunGroupModelRow.model_id == model_id)
    return session.scalar(query.limit(1))
