"""SQL of run groups."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.locking import lock_all
from app.db.pages import Rows, newest
from app.db.references import refuse_while_audited
from app.db.tables import AuditRow, ModelRow, RunGroupModelRow, RunGroupRow
from app.domain.problems.planning import UNKNOWN_MODELS
from app.errors import NotFound
from app.naming.filters import Filter, narrowed
from app.run_groups.schemas import RunGroupRequest


def insert_run_group(session: Session, request: RunGroupRequest) -> RunGroupRow:
    """Raises Unprocessable ``unknown-models`` naming them."""
    members = lock_all(session, ModelRow, request.model_ids, UNKNOWN_MODELS)
    words = {"about": request.description, "extra": request.metadata, "tags": request.tags}
    row = RunGroupRow(id=new_id(), name=request.name, **words)
    session.add(row)
    session.flush()
    session.add_all(RunGroupModelRow(run_group_id=row.id, ordinal=n, model_id=one.id) for n, one in enumerate(members))
    session.flush()
    session.refresh(row)
    return row


def get_run_group(session: Session, run_group_id: UUID, *, lock: bool = False) -> RunGroupRow:
    """Raises NotFound."""
    row = session.get(RunGroupRow, run_group_id, with_for_update=lock)
    if row is None:
        raise NotFound("run group")
    return row


def list_run_groups(session: Session, limit: int, after: UUID | None, wanted: Filter) -> Rows[RunGroupRow]:
    """The newest first."""
    return newest(session, narrowed(select(RunGroupRow), RunGroupRow, wanted), RunGroupRow, limit, after)


def members_of(session: Session, run_group_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Model ids by run group, in their order."""
    query = (
        select(RunGroupModelRow)
        .where(RunGroupModelRow.run_group_id.in_(run_group_ids))
        .order_by(RunGroupModelRow.run_group_id, RunGroupModelRow.ordinal)
    )
    members: dict[UUID, list[UUID]] = {run_group_id: [] for run_group_id in run_group_ids}
    for row in session.scalars(query):
        members[row.run_group_id].append(row.model_id)
    return members


def delete_run_group(session: Session, row: RunGroupRow) -> None:
    """Audits of the group that have ended keep their own list of models. Raises Conflict ``run-group-in-use``."""
    refuse_while_audited(session, "run group", AuditRow.run_group_id == row.id, live_only=True)
    session.execute(delete(RunGroupRow).where(RunGroupRow.id == row.id))
