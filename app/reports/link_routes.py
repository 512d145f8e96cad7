"""``POST .../report-links``: an address that opens a report in a browser, which sends no key."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.access.links import LONGEST_SECONDS, ReportLink
from app.access.service import KeySigner
from app.audits.repository import get_audit
from app.audits.schemas import AuditId
from app.comparisons.repository import get_comparison
from app.comparisons.schemas import ComparisonId
from app.http.authorization import READS
from app.http.dependencies import SessionDep, SettingsDep, TenantDep
from app.http.guards.authentication import LINK
from app.http.links import link
from app.http.problems import problem_responses
from app.settings import Settings

router = APIRouter(prefix="/v1")


class ReportLinkRequest(BaseModel):
    """How long the link is to work."""

    model_config = ConfigDict(extra="forbid")

    expires_in_seconds: int = Field(24 * 3600, ge=60, le=LONGEST_SECONDS, description="At most seven days.")


A_DAY = ReportLinkRequest()
"""What a request without a body asks for."""


class ShownLink(BaseModel):
    """A link; whoever has it can read the report."""

    url: str = Field(
        description="Behind the service's own address.", examples=["/v1/audits/01a2.../report?link=0000....SIGNATURE"]
    )
    expires_at: datetime


@router.post(
    "/audits/{audit_id}/report-links",
    dependencies=[READS],
    status_code=201,
    tags=["audits"],
    summary="Make a link to an audit's report",
    responses=problem_responses(400, 404, 413, 415, 422),
)
def create_audit_link(
    audit_id: AuditId, session: SessionDep, tenant: TenantDep, settings: SettingsDep, request: ReportLinkRequest = A_DAY
) -> ShownLink:
    """When the report is to be opened in a browser or sent to somebody without a key: the address reads this report,
    nothing else, until it expires. Nothing is stored, so a link cannot be taken back."""
    get_audit(session, audit_id)
    return _shown(ReportLink(tenant.tenant_id, f"/v1/audits/{audit_id}/report", _end(request)), settings)


@router.post(
    "/comparisons/{comparison_id}/report-links",
    dependencies=[READS],
    status_code=201,
    tags=["comparisons"],
    summary="Make a link to a comparison's report",
    responses=problem_responses(400, 404, 413, 415, 422),
)
def create_comparison_link(
    comparison_id: ComparisonId,
    session: SessionDep,
    tenant: TenantDep,
    settings: SettingsDep,
    request: ReportLinkRequest = A_DAY,
) -> ShownLink:
    """When the report is to be opened in a browser or sent to somebody without a key: the address reads this report,
    nothing else, until it expires. Nothing is stored, so a link cannot be taken back."""
    get_comparison(session, comparison_id)
    return _shown(ReportLink(tenant.tenant_id, f"/v1/comparisons/{comparison_id}/report", _end(request)), settings)


def _end(request: ReportLinkRequest) -> int:
    return int((datetime.now(UTC) + timedelta(seconds=request.expires_in_seconds)).timestamp())


def _shown(report: ReportLink, settings: Settings) -> ShownLink:
    token = report.token(KeySigner.of(settings).secret)
    url = link(f"{report.path}?{LINK}={token}")
    return ShownLink(url=url, expires_at=datetime.fromtimestamp(report.expires, UTC))
