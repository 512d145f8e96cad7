"""``/v1/audits/{id}/samples``: scores and maps."""

from collections.abc import Generator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from app.audits.repository import get_audit
from app.audits.schemas import AuditId, SalienceMap, SampleId, SampleScore
from app.audits.scores.exports import EXPORTS
from app.audits.scores.maps import ImageReader, MapFilter, StoredMap, draw_map, find_map
from app.audits.scores.rows import ScoreReader
from app.audits.scores.wanted import ScoreFilter
from app.audits.states import check_kept
from app.datasets.repository import get_dataset
from app.db.session import TenantEngine
from app.db.tables import AuditRow, DatasetRow
from app.domain.protocol import Protocol
from app.http.authorization import READS
from app.http.dependencies import BriefSessionDep, ContentsDep, OutwardDep, SessionDep, SettingsDep, TenantDep
from app.http.negotiation import chosen_form
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.streams import Streams

router = APIRouter(prefix="/v1", tags=["audits"])


@router.get(
    "/audits/{audit_id}/samples",
    dependencies=[READS],
    summary="List an audit's scores per sample",
    responses={
        **problem_responses(404, 410, 422),
        200: {"content": {name: {} for name in EXPORTS}, "description": "A page; or all scores, in another format."},
    },
    response_model=Page[SampleScore],
)
def get_scores(
    audit_id: AuditId,
    request: Request,
    session: SessionDep,
    tenant: TenantDep,
    page: PageDep,
    wanted: Annotated[ScoreFilter, Depends()],
) -> Any:
    """To see which images stand behind a mean, or to make statistics of your own. Long rows, one number each. The worst
    ones first: name a measure and a view, and `order=worst`. `Accept: text/csv`, `application/x-ndjson` or
    `application/vnd.apache.parquet` streams all of them, for data frames."""
    audit = get_audit(session, audit_id)
    check_kept(audit)
    reader = ScoreReader(session, audit, wanted)
    export = chosen_form(request, tuple(EXPORTS))
    if export is not None:
        streams: Streams = request.app.state.services.streams
        parts = _stream(tenant, audit_id, wanted, export)
        return StreamingResponse(streams.send(tenant.tenant_id, parts), media_type=export)
    rows = reader.page(page.limit, page.after(3))
    return make_page(rows, lambda row: row[1], lambda row: row[0])


def _stream(tenant: TenantEngine, audit_id: UUID, wanted: ScoreFilter, kind: str) -> Generator[bytes]:
    """The request's own session ends with its route; a stream lives longer."""
    with tenant.session() as session:
        yield from EXPORTS[kind](ScoreReader(session, get_audit(session, audit_id), wanted).stream())


@router.get(
    "/audits/{audit_id}/samples/{sample_id}/map",
    dependencies=[READS],
    summary="Read a salience map",
    responses={
        **problem_responses(404, 410, 422),
        200: {"content": {"image/png": {}}, "description": "Numbers, or a picture."},
    },
    response_model=SalienceMap,
)
async def get_map(
    audit_id: AuditId,
    sample_id: SampleId,
    request: Request,
    session: BriefSessionDep,
    contents: ContentsDep,
    outward: OutwardDep,
    settings: SettingsDep,
    wanted: Annotated[MapFilter, Depends()],
) -> Any:
    """To look at a score that stands out: where the model looked, in the clean image by default or in a changed one.
    Numbers in the map's native size; `Accept: image/png` draws them over the image."""

    def found(asked: Session) -> tuple[StoredMap, AuditRow, DatasetRow]:
        audit = get_audit(asked, audit_id)
        check_kept(audit, maps=True)
        return find_map(asked, audit, sample_id, wanted), audit, get_dataset(asked, audit.dataset_id)

    stored, audit, dataset = await session.ask(found)
    if chosen_form(request, ("image/png",)) is None:
        return stored.to_schema()
    images, protocol = ImageReader(dataset, contents, settings), Protocol.model_validate(audit.protocol)
    drawn = partial(draw_map, stored, images, protocol)
    return Response(await outward.read(audit.tenant_id, dataset.stored_digest or "", drawn), media_type="image/png")
