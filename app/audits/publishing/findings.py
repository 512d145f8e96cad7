"""``GET /v1/audits/{id}/findings``."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.audits.repository import get_audit, results_of
from app.audits.schemas import AuditId
from app.audits.states import check_finished
from app.domain.findings import Finding
from app.http.authorization import READS
from app.http.dependencies import SessionDep
from app.http.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["audits"])


class Findings(BaseModel):
    """The gravest first."""

    items: list[Finding]


@router.get(
    "/audits/{audit_id}/findings",
    dependencies=[READS],
    summary="Read what to know first of an audit",
    responses=problem_responses(404, 409),
)
def get_findings(audit_id: AuditId, session: SessionDep) -> Findings:
    """Before the numbers, once the audit has `succeeded`: signs of a shortcut (`exposes`), numbers that do not count
    and why (`says-nothing`), and what else to know (`note`), each with the numbers behind it."""
    check_finished(get_audit(session, audit_id))
    return Findings(items=results_of(session, audit_id)["findings"])
