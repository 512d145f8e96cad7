"""``/v1/audits`` and ``/v1/protocols``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audits import service
from app.audits.exports import EXPORTS
from app.audits.maps import draw_map, find_map
from app.audits.protocols import Protocols, describe_protocols
from app.audits.repository import (
    AuditFilter,
    get_audit,
    list_audits,
    model_ids_of,
    results_of,
    samples_done,
)
from app.audits.schemas import Audit, AuditRequest, Progress, SalienceMap, SampleScore
from app.audits.scores import ScoreFilter, ScoreReader
from app.datasets.repository import get_dataset
from app.db.tables import AuditRow
from app.domain.vocabulary import CLEAN, AuditStatus
from app.http.dependencies import BlobsDep, EngineDep, QueueDep, SessionDep, SettingsDep
from app.http.doorbell import ring
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import StoredProblem
from app.observability.log_context import bind
from app.queue import TaskName

router = APIRouter(prefix="/v1", tags=["audits"])

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$", description="Safe to send again.")
]


@router.post(
    "/audits", status_code=202, summary="Start an audit", responses=problem_responses(400, 404, 409, 413, 415, 422)
)
def create_audit(
    request: AuditRequest,
    session: SessionDep,
    queue: QueueDep,
    settings: SettingsDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Audit:
    """Measure models on a data set. Poll the audit until it has `succeeded`, then read its results."""
    try:
        requested = service.request_audit(session, request, settings, idempotency_key)
        session.commit()
    except IntegrityError:
        # Another request with this key was faster; now its audit can be seen.
        session.rollback()
        requested = service.request_audit(session, request, settings, idempotency_key)
    bind(audit_id=requested.audit.id)
    for shard_id in requested.shard_ids:
        ring(queue, TaskName.RUN_SHARD, shard_id)
    response.headers["Location"] = f"/v1/audits/{requested.audit.id}"
    return _show(session, [requested.audit])[0]


@router.get("/audits", summary="List audits, the newest first", responses=problem_responses(422))
def get_audits(session: SessionDep, page: PageDep, wanted: Annotated[AuditFilter, Depends()]) -> Page[Audit]:
    """Filter by status, data set or model."""
    rows = list_audits(session, wanted, page.limit, page.after_id())
    shown = {audit.id: audit for audit in _show(session, rows)}
    return make_page(rows, page.limit, lambda row: shown[row.id], lambda row: [str(row.id)])


@router.get("/audits/{audit_id}", summary="Read an audit", responses=problem_responses(404))
def get_one_audit(audit_id: UUID, session: SessionDep) -> Audit:
    """Its status, progress and the whole resolved protocol."""
    return _show(session, [get_audit(session, audit_id)])[0]


@router.post("/audits/{audit_id}/cancel", status_code=202, summary="Cancel an audit", responses=problem_responses(404))
def cancel_audit(audit_id: UUID, session: SessionDep) -> Audit:
    """Workers stop at their next micro-batch. An audit that has ended stays as it is."""
    audit = get_audit(session, audit_id, lock=True)
    service.cancel(audit)
    if audit.finished_at is None and audit.status == AuditStatus.CANCELLED:
        audit.finished_at = session.scalar(func.clock_timestamp())
    session.commit()
    return _show(session, [audit])[0]


@router.delete("/audits/{audit_id}", status_code=204, summary="Delete an audit", responses=problem_responses(404, 409))
def delete_audit(audit_id: UUID, session: SessionDep) -> None:
    """With its scores, maps and results; refused while it runs."""
    audit = get_audit(session, audit_id, lock=True)
    service.check_ended(audit)
    session.delete(audit)
    session.commit()


@router.get("/audits/{audit_id}/results", summary="Read an audit's results", responses=problem_responses(404, 409))
def get_results(audit_id: UUID, session: SessionDep) -> dict[str, Any]:
    """Summaries by total, label and source, performance on clean and changed images, noise curves, stability."""
    service.check_finished(get_audit(session, audit_id))
    return results_of(session, audit_id)


@router.get(
    "/audits/{audit_id}/samples",
    summary="List an audit's scores per sample",
    responses={
        **problem_responses(404, 422),
        200: {"content": {name: {} for name in EXPORTS}, "description": "A page; or all scores, in another format."},
    },
    response_model=Page[SampleScore],
)
def get_scores(
    audit_id: UUID,
    request: Request,
    session: SessionDep,
    engine: EngineDep,
    page: PageDep,
    wanted: Annotated[ScoreFilter, Depends()],
) -> Any:
    """Long rows, one number each. `order` sorts by score and needs one measure and view. `Accept: text/csv`,
    `application/x-ndjson` or `application/vnd.apache.parquet` streams all of them."""
    audit = get_audit(session, audit_id)
    reader = ScoreReader(session, audit, wanted)
    export = next((kind for kind in EXPORTS if kind in request.headers.get("accept", "")), None)
    if export is not None:
        return StreamingResponse(_stream(engine, audit_id, wanted, export), media_type=export)
    rows = reader.page(page.limit, page.after(3))
    return make_page(rows, page.limit, lambda row: row[1], lambda row: row[0])


def _stream(engine: Engine, audit_id: UUID, wanted: ScoreFilter, kind: str) -> Iterator[bytes]:
    """The request's own session ends with its route; a stream lives longer."""
    with Session(engine) as session:
        yield from EXPORTS[kind](ScoreReader(session, get_audit(session, audit_id), wanted).stream())


@router.get(
    "/audits/{audit_id}/samples/{sample_id}/map",
    summary="Read a salience map",
    responses={
        **problem_responses(404, 422),
        200: {"content": {"image/png": {}}, "description": "Numbers, or a picture."},
    },
    response_model=SalienceMap,
)
def get_map(  # noqa: PLR0913, PLR0917 - what a map is asked by
    audit_id: UUID,
    sample_id: UUID,
    request: Request,
    session: SessionDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    model_id: UUID | None = None,
    view: str = CLEAN,
) -> Any:
    """The native map of a view (`clean` by default); `Accept: image/png` draws it over the image."""
    audit = get_audit(session, audit_id)
    stored = find_map(session, audit, sample_id, model_id, view)
    if "image/png" not in request.headers.get("accept", ""):
        return stored.to_schema()
    dataset = get_dataset(session, audit.dataset_id)
    return Response(draw_map(stored, dataset, blobs, settings), media_type="image/png")


@router.get("/protocols", tags=["protocols"], summary="List protocols and their options")
def get_protocols() -> Protocols:
    """The presets, and every option with its range and default."""
    return describe_protocols()


def _show(session: Session, rows: Any) -> list[Audit]:
    ids = [row.id for row in rows]
    models, done = model_ids_of(session, ids), samples_done(session, ids)
    return [_one(row, models[row.id], done.get(row.id, 0)) for row in rows]


def _one(row: AuditRow, model_ids: list[UUID], done: int) -> Audit:
    same = {
        name: getattr(row, name)
        for name in (
            *("id", "name", "status", "dataset_id", "run_group_id", "protocol", "protocol_digest", "sample_count"),
            *("created_at", "started_at", "finished_at"),
        )
    }
    return Audit(
        model_ids=model_ids,
        progress=_progress(row, done),
        problem=StoredProblem.of(row.problem),
        results_url=f"/v1/audits/{row.id}/results",
        **same,
    )


def _progress(row: AuditRow, done: int) -> Progress:
    """The speed since the start; an estimate only while it runs."""
    speed = None
    if row.started_at is not None and done:
        seconds = ((row.finished_at or datetime.now(UTC)) - row.started_at).total_seconds()
        speed = done / seconds if seconds > 0 else None
    running = row.status == AuditStatus.RUNNING and speed
    eta = (row.sample_count - done) / speed if running and speed else None
    return Progress(done=done, total=row.sample_count, samples_per_second=speed, eta_seconds=eta)
