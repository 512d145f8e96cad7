"""``/v1/audits`` and ``/v1/protocols``; scores and maps have a file of their own."""

import json
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.quotas import check_audit_minutes, check_live_audits
from app.audits import service
from app.audits.following.partial import PartialResults
from app.audits.planning.estimates import AuditEstimate
from app.audits.planning.protocols import Protocols, describe_protocols
from app.audits.repository import AuditFilter, get_audit, list_audits, results_of
from app.audits.schemas import Audit, AuditId, AuditRequest
from app.audits.showing import shown_audits
from app.audits.states import check_ended, check_finished
from app.db.session import TenantEngine, transaction
from app.domain.results.documents import PartialResultsDocument, ResultsDocument
from app.http.authorization import READS, WRITES
from app.http.dependencies import QueueDep, SessionDep, SettingsDep, TenantDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.wake_up import wake_for_shards
from app.naming.schemas import CHANGE_PROBLEMS, AuditChange
from app.naming.versions import reword
from app.observability.log_context import bind

router = APIRouter(prefix="/v1", tags=["audits"])

PartialFlag = Annotated[
    bool,
    Query(
        description="Answer before the end as well, from the scores of the shards that are done: the document then has "
        "`partial: true`, `samples_done`, and no `software`."
    ),
]


@router.post(
    "/audits",
    dependencies=[WRITES],
    status_code=202,
    summary="Start an audit",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def create_audit(
    request: AuditRequest,
    session: SessionDep,
    queue: QueueDep,
    settings: SettingsDep,
    response: Response,
    idempotency: IdempotencyDep,
) -> Audit:
    """Once models and data set are `ready`: measures what the models look at, over the whole data set or
    `sample_limit` of its samples. What is left out of `protocol` has its default, and all five measures are computed
    (stability where there are two models or more). Watch or read the audit until it has `succeeded`, then read its
    results. With an `Idempotency-Key`, a request that is sent twice starts one audit.

    The examples' ids are made up: put yours from `GET /v1/datasets`, `/v1/models` or `/v1/run-groups`; for a verdict
    also from `/v1/gates` and, as a baseline, `/v1/audits`."""
    shown = idempotency.earlier(session, request, Audit)
    if shown is None:
        requested = service.request_audit(session, request, settings)
        shown = shown_audits(session, [requested.audit])[0]
        idempotency.remember(session, shown.id, shown)
        check_live_audits(session, settings)
        check_audit_minutes(session, settings)
        session.commit()
        bind(audit_id=shown.id)
        wake_for_shards(queue, requested.audit.device_class, requested.new_shards)
    response.headers["Location"] = link(f"/v1/audits/{shown.id}")
    return shown


@router.post(
    "/audits:estimate",
    dependencies=[READS],
    summary="Estimate an audit's cost",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def estimate_audit(request: AuditRequest, session: SessionDep, settings: SettingsDep) -> AuditEstimate:
    """Before a long audit: takes the body that would start it and checks it in the same way, but writes nothing.
    Answers its passes, shards, seconds and bytes.

    The examples' ids are made up: put yours from `GET /v1/datasets`, `/v1/models` or `/v1/run-groups`."""
    return AuditEstimate.of(service.plan_work(session, request, settings), settings)


@router.get("/audits", dependencies=[READS], summary="List audits, the newest first", responses=problem_responses(422))
def get_audits(session: SessionDep, page: PageDep, wanted: Annotated[AuditFilter, Depends()]) -> Page[Audit]:
    """To find an id again, or to see what runs: filter by status, data set or model."""
    rows = list_audits(session, wanted, page.limit, page.after_id())
    shown = {audit.id: audit for audit in shown_audits(session, rows.items)}
    return make_page(rows, lambda row: shown[row.id], lambda row: [str(row.id)])


@router.get("/audits/{audit_id}", dependencies=[READS], summary="Read an audit", responses=problem_responses(404))
def get_one_audit(audit_id: AuditId, session: SessionDep) -> Audit:
    """While it runs, for its status and progress where a stream of events is not at hand; once it has ended, for its
    verdict or, in `problem`, why it failed. Also shows the whole resolved protocol."""
    return shown_audits(session, [get_audit(session, audit_id)])[0]


@router.post(
    "/audits/{audit_id}/cancel",
    dependencies=[WRITES],
    status_code=202,
    summary="Cancel an audit",
    responses=problem_responses(404),
)
def cancel_audit(audit_id: AuditId, session: SessionDep) -> Audit:
    """When its numbers are no longer wanted, or to make room for another audit. Workers stop within seconds, in
    mid-batch; what was measured stays readable by `results?partial=true`. An audit that has ended stays as it is."""
    audit = get_audit(session, audit_id, lock=True)
    service.cancel(session, audit)
    session.commit()
    return shown_audits(session, [audit])[0]


@router.patch(
    "/audits/{audit_id}",
    dependencies=[WRITES],
    summary="Change an audit's name and words",
    responses=CHANGE_PROBLEMS,
)
def change_audit(audit_id: AuditId, request: AuditChange, session: SessionDep) -> Audit:
    """Its name, description, metadata and tags; what is left out stays. The description stands in its report."""
    row = get_audit(session, audit_id, lock=True)
    reword(session, row, request)
    session.commit()
    return shown_audits(session, [row])[0]


@router.delete(
    "/audits/{audit_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete an audit",
    responses=problem_responses(404, 409),
)
def delete_audit(audit_id: AuditId, session: SessionDep) -> None:
    """When nobody needs it any more, with its scores, maps and results, or before its models and data set are deleted.
    Refused while it runs: cancel it first. Comparisons that were made of it stay."""
    audit = get_audit(session, audit_id, lock=True)
    check_ended(audit)
    session.delete(audit)
    session.commit()


@router.get(
    "/audits/{audit_id}/results",
    dependencies=[READS],
    summary="Read an audit's results",
    responses=problem_responses(404, 409, 410, 422),
    response_model=ResultsDocument | PartialResultsDocument,
)
async def get_results(
    audit_id: AuditId, request: Request, tenant: TenantDep, *, partial: PartialFlag = False
) -> Response:
    """Once the audit has `succeeded`: the numbers to decide by. `summaries` are means with intervals (null
    where the samples are too few for one), quantiles and controls by measure and view, in total (`macro`: every source
    counts the same) and by label and source;
    `performance` is accuracy and ROC on clean and changed images; `noise_curves` and `stability` are the paper's
    figures, `deformation_curves` and `move_curves` the same of other deformations. Earlier, `partial=true` tells what
    is known so far."""
    if partial:
        so_far: PartialResults = request.app.state.services.partial_results
        return Response(await so_far.read(tenant, audit_id), media_type="application/json")
    return Response(await to_thread.run_sync(_results, tenant, audit_id), media_type="application/json")


def _results(tenant: TenantEngine, audit_id: UUID) -> bytes:
    with transaction(tenant) as session:
        check_finished(get_audit(session, audit_id))
        return json.dumps(results_of(session, audit_id), allow_nan=False).encode()


@router.get("/protocols", dependencies=[READS], summary="List protocols and their options")
def get_protocols() -> Protocols:
    """Before you choose a protocol of your own: the presets, and every option with its range and default. What is
    listed here may stand in `protocol` of `POST /v1/audits`."""
    return describe_protocols()
