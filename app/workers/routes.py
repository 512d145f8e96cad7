"""``/v1/workers``."""

from fastapi import APIRouter
from sqlalchemy import func, select

from app.db.pages import Rows
from app.db.presence import PRESENT_FOR
from app.db.tables import WorkerRow
from app.http.authorization import READS
from app.http.dependencies import SessionDep
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.workers.schemas import Worker, WorkerStatus

router = APIRouter(prefix="/v1/workers", tags=["operations"])


@router.get("", dependencies=[READS], summary="List workers", responses=problem_responses(422))
def get_workers(session: SessionDep, page: PageDep) -> Page[Worker]:
    """When an audit or an upload waits: is anybody there to do it. A worker that was stopped, or lost, is `missing`
    after a minute and forgotten after a day."""
    after = page.after(1)
    is_present = WorkerRow.seen_at > func.clock_timestamp() - PRESENT_FOR
    query = select(WorkerRow, is_present).order_by(WorkerRow.name).limit(page.limit + 1)
    if after is not None:
        query = query.where(WorkerRow.name > str(after[0]))
    found = session.execute(query).all()
    return make_page(Rows.cut(found, page.limit), lambda row: _show(*row), lambda row: [row[0].name])


def _show(row: WorkerRow, is_present: bool) -> Worker:  # noqa: FBT001 - a column
    status = WorkerStatus.PRESENT if is_present else WorkerStatus.MISSING
    return Worker(name=row.name, device_class=row.device_class, status=status, seen_at=row.seen_at)
