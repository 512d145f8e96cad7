"""``/v1/audits/{id}/report``, ``/v1/comparisons/{id}/report`` and their figures."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.audits.schemas import AuditId
from app.comparisons.schemas import ComparisonId
from app.http.authorization import READS, READS_BY_LINK
from app.http.dependencies import ContentsDep, SettingsDep, TenantDep
from app.http.problems import problem_responses
from app.reports.drawing import ReportMaker
from app.reports.renderer import Renderer, ReportRequest

router = APIRouter(prefix="/v1")

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The page loads nothing and runs nothing; its figures carry their styles with them."""
_HEADERS = {"Content-Security-Policy": POLICY}


class FigureForm(StrEnum):
    """A file's ending."""

    SVG = "svg"
    PNG = "png"


MEDIA_TYPES = {FigureForm.SVG: "image/svg+xml", FigureForm.PNG: "image/png"}

FigureName = Annotated[
    str,
    Path(
        description="`where-maps-lie`, `radar`, `noise-curve`, `roc`, `distribution-entropy-spatial` and so on; "
        "a 404 names all that this report has.",
        pattern="^[a-z0-9-]{1,100}$",
        examples=["radar"],
    ),
]
Form = Annotated[FigureForm, Path(description="The kind of file.")]

_PAGE: dict[str, Any] = {
    "content": {"text/html": {"schema": {"type": "string"}}},
    "description": "A self-contained page.",
}
_FIGURE: dict[str, Any] = {
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
    "description": "The figure.",
}


async def _audit_request(
    audit_id: AuditId, tenant: TenantDep, contents: ContentsDep, settings: SettingsDep
) -> ReportRequest:
    return ReportMaker(tenant, contents, settings).audit(audit_id)


async def _comparison_request(
    comparison_id: ComparisonId, tenant: TenantDep, contents: ContentsDep, settings: SettingsDep
) -> ReportRequest:
    return ReportMaker(tenant, contents, settings).comparison(comparison_id)


async def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.services.renderer
    return renderer


LinkField = Annotated[
    str | None,
    Query(
        description="The token of a report link (`POST .../report-links`), which stands in for a key.", max_length=200
    ),
]


async def _documented(link: LinkField = None) -> None:
    """app.http.guards.authentication has looked at it."""


RendererDep = Annotated[Renderer, Depends(_renderer)]


@router.get(
    "/audits/{audit_id}/report",
    dependencies=[READS_BY_LINK, Depends(_documented)],
    tags=["audits"],
    summary="Read an audit as a report",
    responses={**problem_responses(404, 409, 422), 200: _PAGE},
    response_class=Response,
)
async def get_audit_report(
    wanted: Annotated[ReportRequest, Depends(_audit_request)], renderer: RendererDep
) -> Response:
    """One page for people, when the numbers are to be read, printed or sent on: verdict, the five numbers with their
    intervals, radar, what stands out, every measure's figures and tables, a gallery of samples with their maps, and
    what it takes to repeat it. It loads nothing and runs nothing. The runs of a run group count as one."""
    return Response(await renderer.page(wanted), media_type="text/html", headers=_HEADERS)


@router.get(
    "/audits/{audit_id}/plots/{name}.{form}",
    dependencies=[READS],
    tags=["audits"],
    summary="Read one figure of an audit's report",
    responses={**problem_responses(404, 409), 200: _FIGURE},
    response_class=Response,
)
async def get_audit_plot(
    wanted: Annotated[ReportRequest, Depends(_audit_request)], name: FigureName, form: Form, renderer: RendererDep
) -> Response:
    """When a figure is wanted alone, for slides and papers: on white, as SVG, or as PNG at 200 dots an inch."""
    return Response(await renderer.figure(wanted, name, form), media_type=MEDIA_TYPES[form], headers=_HEADERS)


@router.get(
    "/comparisons/{comparison_id}/report",
    dependencies=[READS_BY_LINK, Depends(_documented)],
    tags=["comparisons"],
    summary="Read a comparison as a report",
    responses={**problem_responses(404, 409, 410, 422), 200: _PAGE},
    response_class=Response,
)
async def get_comparison_report(
    wanted: Annotated[ReportRequest, Depends(_comparison_request)], renderer: RendererDep
) -> Response:
    """One page for whoever has to choose: all sides in every figure, the paired differences with their corrected
    tests, and the samples in which the first two sides differ most."""
    return Response(await renderer.page(wanted), media_type="text/html", headers=_HEADERS)


@router.get(
    "/comparisons/{comparison_id}/plots/{name}.{form}",
    dependencies=[READS],
    tags=["comparisons"],
    summary="Read one figure of a comparison's report",
    responses={**problem_responses(404, 409, 410), 200: _FIGURE},
    response_class=Response,
)
async def get_comparison_plot(
    wanted: Annotated[ReportRequest, Depends(_comparison_request)], name: FigureName, form: Form, renderer: RendererDep
) -> Response:
    """When a figure is wanted alone, for slides and papers: on white, as SVG, or as PNG at 200 dots an inch."""
    return Response(await renderer.figure(wanted, name, form), media_type=MEDIA_TYPES[form], headers=_HEADERS)
