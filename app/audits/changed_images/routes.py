"""``GET /v1/audits/{id}/views``."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.orm import Session

from app.audits.changed_images.schemas import ViewArchive
from app.audits.changed_images.service import ViewsFilter, Wanted, find_archive, request_archive, wanted_images
from app.audits.repository import get_audit
from app.audits.schemas import AuditId
from app.db.tables import ViewArchiveRow
from app.domain.problems import changed_images as problems
from app.domain.vocabulary import OwedStatus
from app.http.authorization import READS
from app.http.dependencies import BlobsDep, QueueDep, SessionDep, SettingsDep
from app.http.problems import problem_responses
from app.http.wake_up import wake_worker
from app.queue import TaskName
from app.storage.blobs import BlobStore

router = APIRouter(prefix="/v1", tags=["audits"])

ZIP = "application/zip"
RETRY_SECONDS = 2


@router.get(
    "/audits/{audit_id}/views",
    dependencies=[READS],
    summary="Hand out an audit's changed images",
    responses={
        **problem_responses(404, 409, 410, 422),
        200: {
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
            "description": "A ZIP of PNGs with its manifest, `views-images.jsonl` or `views-maps.jsonl`.",
        },
        202: {"model": ViewArchive, "description": "It is being made: come again after `Retry-After` seconds."},
    },
    response_class=StreamingResponse,
)
def get_views(
    audit_id: AuditId,
    session: SessionDep,
    queue: QueueDep,
    blobs: BlobsDep,
    settings: SettingsDep,
    asked: Annotated[ViewsFilter, Depends()],
) -> Any:
    """For a system that makes its maps elsewhere, or to see what a model was shown: the 8-bit images at the model's
    input size, bit for bit, in every view that the audit's measures need. Each line of the manifest names an image
    (`path`), its `view` and `sample`, and where its map belongs (`map`). The first request has the archive made."""
    wanted = wanted_images(session, get_audit(session, audit_id), asked)
    row = _kept(session, wanted, blobs)
    if row is not None and row.status == OwedStatus.SUCCEEDED:
        return _archive(row, blobs)
    if row is None:
        get_audit(session, audit_id, lock=True)
        row = find_archive(session, wanted) or request_archive(session, wanted, settings)
        shown, row_id = ViewArchive.of(row, wanted.audit, wanted.subjects), row.id
        session.commit()
        wake_worker(queue, TaskName.ARCHIVE_VIEWS, row_id)
    else:
        shown = ViewArchive.of(row, wanted.audit, wanted.subjects)
    return JSONResponse(shown.model_dump(mode="json"), 202, headers={"Retry-After": str(RETRY_SECONDS)})


def _kept(session: Session, wanted: Wanted, blobs: BlobStore) -> ViewArchiveRow | None:
    """None where there is none, or the store has lost it. What failed is told once, and may be asked for again.

    Raises Conflict ``views-failed``.
    """
    row = find_archive(session, wanted)
    if row is None or row.status == OwedStatus.QUEUED:
        return row
    if row.status == OwedStatus.SUCCEEDED and blobs.exists(row.stored_digest or ""):
        return row
    problem = row.problem
    session.delete(row)
    session.commit()
    if problem is not None:
        raise problems.VIEWS_FAILED.error(why=problem["detail"])
    return None


def _archive(row: ViewArchiveRow, blobs: BlobStore) -> StreamingResponse:
    name = f"views-{row.audit_id}-{row.needs}.zip"
    headers = {"Content-Length": str(row.size), "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(blobs.read(row.stored_digest or ""), media_type=ZIP, headers=headers)
