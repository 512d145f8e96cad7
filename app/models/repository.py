"""SQL of models."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
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
) -> Rows[ModelRow]:
    """The newest first."""
    query = select(ModelRow)
    if status is not None:
        query = query.where(ModelRow.status == status)
    if name is not None:
        query = query.where(ModelRow.name == name)
    return newest(session, query, ModelRow, limit, after)


def run_group_of(session: Session, model_id: UUID) -> UUID | None:
    """One that refers to it."""
    query = select(RunGroupModelRow.run_group_id).where(RunGroupModelRow.model_id == model_id)
    return session.scalar(query.limit(1))
