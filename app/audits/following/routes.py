"""``GET /v1/audits/{id}/events``."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from app.audits.following.events import EventId, is_told
from app.audits.following.watch import AuditWatch, Watched
from app.audits.schemas import AuditId
from app.http.authorization import READS
from app.http.dependencies import TenantDep
from app.http.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["audits"])

LastEventId = Annotated[
    str | None, Header(max_length=100, description="The `id` of the last event that was seen: only later ones follow.")
]

STREAM = {"schema": {"type": "string"}}


@router.get(
    "/audits/{audit_id}/events",
    dependencies=[READS],
    summary="Watch an audit",
    response_class=Response,
    responses={
        **problem_responses(404, 422),
        200: {"description": "Server-sent events until the audit ends.", "content": {"text/event-stream": STREAM}},
        204: {"description": "The last event was seen already: do not come again."},
    },
)
async def get_events(
    audit_id: AuditId, request: Request, tenant: TenantDep, last_event_id: LastEventId = None
) -> Response:
    """For a progress bar, or to act at once when an audit ends: server-sent events instead of polling, `status` and
    `progress` as they change, a `note` where the last worker that could go on is lost (and another, with null, once one
    is there again), and a last `end`.

    Every event but a note has an `id`. A client that was cut off sends the last one as `Last-Event-ID` (browsers'
    `EventSource` does) and gets what is new, once. Progress between two connections is told as it stands now.
    """
    watch: AuditWatch = request.app.state.services.watch
    last = EventId.parse(last_event_id)
    watched = Watched(tenant.tenant_id, audit_id)
    snapshot = await watch.find(watched)
    if is_told(last, snapshot):
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(watch.stream(watched, snapshot, last), media_type="text/event-stream", headers=headers)
