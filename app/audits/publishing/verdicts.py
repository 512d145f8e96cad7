"""``GET /v1/audits/{id}/verdict``."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.audits.repository import get_audit, results_of
from app.audits.schemas import AuditId
from app.audits.states import check_finished
from app.domain.results.headline import silent_headlines
from app.errors import NotFound
from app.gates.junit import MEDIA_TYPES, as_junit
from app.gates.schemas import AuditVerdict, FrozenGate
from app.http.authorization import READS
from app.http.dependencies import SessionDep
from app.http.negotiation import chosen_form, named_ranges
from app.http.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["audits"])


@router.get(
    "/audits/{audit_id}/verdict",
    dependencies=[READS],
    summary="Read what an audit's gate says",
    responses={
        **problem_responses(404, 409),
        200: {"content": {MEDIA_TYPES[0]: {}}, "description": "The verdict; or JUnit XML, for CI systems."},
    },
    response_model=AuditVerdict,
)
def get_verdict(audit_id: AuditId, request: Request, session: SessionDep) -> Any:
    """In a CI job, once the audit has `succeeded` (409 before): `passed`, `failed` or `inconclusive`, with every
    condition's number, threshold, outcome and the words why; `says_nothing` where a number does not count.
    `Accept: application/xml` gives JUnit XML, which CI systems show as a list of tests. 404 where the audit names no
    gate."""
    audit = get_audit(session, audit_id)
    if audit.gate is None:
        raise NotFound("verdict: the audit names no gate")
    check_finished(audit)
    if audit.verdict is None:
        raise NotFound("verdict")
    silent = silent_headlines(results_of(session, audit.id))
    verdict = AuditVerdict(audit_id=audit.id, gate=FrozenGate(**audit.gate), says_nothing=silent, **audit.verdict)
    # A browser names XML as a way to write the page that it would rather have; JUnit is none.
    is_browser = "text/html" in named_ranges(request)
    accepted = None if is_browser else chosen_form(request, MEDIA_TYPES)
    return verdict if accepted is None else Response(as_junit(verdict), media_type=accepted)
