"""``POST /v1/audits/{id}/rescore`` and ``GET /v1/audits/{id}/rescores/{similarity}``."""

from fastapi import APIRouter, Response

from app.audits.repository import get_audit
from app.audits.rescoring.schemas import Rescore, RescoreRequest, SimilarityPath
from app.audits.rescoring.service import find_rescore, get_rescore, request_rescore
from app.audits.schemas import AuditId
from app.http.authorization import READS, WRITES
from app.http.dependencies import QueueDep, SessionDep
from app.http.links import link
from app.http.problems import problem_responses
from app.http.wake_up import wake_worker
from app.queue import TaskName

router = APIRouter(prefix="/v1", tags=["audits"])


@router.post(
    "/audits/{audit_id}/rescore",
    dependencies=[WRITES],
    status_code=202,
    summary="Compare an audit's maps by another similarity",
    responses=problem_responses(400, 404, 409, 410, 413, 415, 422),
)
def rescore_audit(
    audit_id: AuditId, request: RescoreRequest, session: SessionDep, queue: QueueDep, response: Response
) -> Rescore:
    """Whether what SSIM says holds by CC, Spearman, SIM, EMD or IoU as well: from the stored native maps, without a
    network running again. Asked for twice, it is made once. Read it at the `Location` until it has `succeeded`."""
    audit = get_audit(session, audit_id, lock=True)
    row = find_rescore(session, audit, request.similarity)
    is_new = row is None
    row = row or request_rescore(session, audit, request.similarity)
    shown, row_id = Rescore.of(row), row.id
    session.commit()
    if is_new:
        wake_worker(queue, TaskName.RESCORE_AUDIT, row_id)
    response.headers["Location"] = link(f"/v1/audits/{audit_id}/rescores/{request.similarity}")
    return shown


@router.get(
    "/audits/{audit_id}/rescores/{similarity}",
    dependencies=[READS],
    summary="Read an audit's comparisons by another similarity",
    responses=problem_responses(404, 422),
)
def get_one_rescore(audit_id: AuditId, similarity: SimilarityPath, session: SessionDep) -> Rescore:
    """After it was asked for: the mean of each pairing and view by that similarity, with intervals, by label and
    source."""
    return Rescore.of(get_rescore(session, get_audit(session, audit_id), similarity))
