"""``/v1/comparisons``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy.orm import Session

from app.comparisons.repository import get_comparison, list_comparisons, lock_comparison, results_of_comparison
from app.comparisons.schemas import Comparison, ComparisonId, ComparisonRequest, ComparisonSummary
from app.comparisons.service import request_comparison
from app.db.tables import ComparisonRow
from app.http.authorization import READS, WRITES
from app.http.dependencies import QueueDep, SessionDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import StoredProblem
from app.http.wake_up import wake_worker
from app.naming.filters import Filter
from app.naming.schemas import CHANGE_PROBLEMS, AuditChange
from app.naming.versions import reword
from app.queue import TaskName

router = APIRouter(prefix="/v1/comparisons", tags=["comparisons"])


def _summary(row: ComparisonRow) -> ComparisonSummary:
    return ComparisonSummary(
        id=row.id,
        name=row.name,
        description=row.about,
        metadata=row.extra,
        tags=row.tags,
        by=row.by,
        status=row.status,
        audit_ids=row.audit_ids,
        model_ids=row.model_ids,
        problem=StoredProblem.of(row.problem),
        created_at=row.created_at,
        finished_at=row.finished_at,
        report_url=link(f"/v1/comparisons/{row.id}/report"),
    )


def _show(session: Session, row: ComparisonRow) -> Comparison:
    return Comparison(**_summary(row).model_dump(), results=results_of_comparison(session, row))


@router.post(
    "",
    dependencies=[WRITES],
    status_code=202,
    summary="Compare audits",
    responses=problem_responses(400, 409, 410, 413, 415, 422),
)
def create_comparison(
    request: ComparisonRequest, session: SessionDep, queue: QueueDep, response: Response, idempotency: IdempotencyDep
) -> Comparison:
    """To choose between several equally accurate models: paired differences on the same samples, with intervals and
    a test that is corrected for their number. Read it until it has `succeeded`. Audits must have succeeded (409), and
    share data set, sample draw and protocol (422 names the fields that differ).

    The examples' ids are made up: put those of your audits, from `GET /v1/audits?status=succeeded`."""
    shown = idempotency.earlier(session, request, Comparison)
    if shown is None:
        shown = _show(session, request_comparison(session, request))
        idempotency.remember(session, shown.id, shown)
        session.commit()
        wake_worker(queue, TaskName.COMPARE_AUDITS, shown.id)
    response.headers["Location"] = link(f"/v1/comparisons/{shown.id}")
    return shown


@router.get("", dependencies=[READS], summary="List comparisons, the newest first", responses=problem_responses(422))
def get_comparisons(
    session: SessionDep, page: PageDep, wanted: Annotated[Filter, Depends()]
) -> Page[ComparisonSummary]:
    """To find an id again, or what is still being computed. Without their tables."""
    rows = list_comparisons(session, page.limit, page.after_id(), wanted)
    return make_page(rows, _summary, lambda row: [str(row.id)])


@router.get("/{comparison_id}", dependencies=[READS], summary="Read a comparison", responses=problem_responses(404))
def get_one_comparison(comparison_id: ComparisonId, session: SessionDep) -> Comparison:
    """Once it has `succeeded`, for its tables: each side's radar and totals, the paired differences with intervals and
    corrected p-values, and the samples that differ most. They stay when the audits are deleted."""
    return _show(session, get_comparison(session, comparison_id))


@router.patch(
    "/{comparison_id}",
    dependencies=[WRITES],
    summary="Change a comparison's name and words",
    responses=CHANGE_PROBLEMS,
)
def change_comparison(comparison_id: ComparisonId, request: AuditChange, session: SessionDep) -> Comparison:
    """Its name, description, metadata and tags; what is left out stays."""
    row = get_comparison(session, comparison_id)
    reword(session, row, request)
    session.commit()
    return _show(session, row)


@router.delete(
    "/{comparison_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a comparison",
    responses=problem_responses(404, 409),
)
def delete_comparison(comparison_id: ComparisonId, session: SessionDep) -> None:
    """When nobody needs it any more. The audits stay. Refused while it is being computed."""
    session.delete(lock_comparison(session, comparison_id))
    session.commit()
