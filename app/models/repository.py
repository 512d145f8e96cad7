"""SQL of models."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import ModelRow, RunGroupModelRow, RunGroupRow
from app.domain.vocabulary import ResourceStatus
from app.errors import NotFound
from app.naming.filters import VersionFilter, narrowed_to_version


def get_model(session: Session, model_id: UUID, *, lock: bool = False) -> ModelRow:
    """Raises NotFound."""
    row = session.get(ModelRow, model_id, with_for_update=lock)
    if row is None:
        raise NotFound("model")
    return row


def list_models(
    session: Session, limit: int, after: UUID | None, *, status: ResourceStatus | None, wanted: VersionFilter
) -> Rows[ModelRow]:
    """The newest first."""
    query = narrowed_to_version(select(ModelRow), ModelRow, wanted)
    if status is not None:
        query = query.where(ModelRow.status == status)
    return newest(session, query, ModelRow, limit, after)


def delete_run_groups_of(session: Session, model_id: UUID) -> None:
    """All that it is in: a group that lost one of its runs is another recipe's evidence."""
    having = select(RunGroupModelRow.run_group_id).where(RunGroupModelRow.model_id == model_id)
    session.execute(delete(RunGroupRow).where(RunGroupRow.id.in_(having)))


def run_group_of(session: Session, model_id: UUID) -> UUID | None:
    """One that refers to it."""
    query = select(RunGroupModelRow.run_group_id).where(RunGroupModelRow.model_id == model_id)
    return session.scalar(query.limit(1))
