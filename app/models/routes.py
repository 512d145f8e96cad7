"""``/v1/models``."""

from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from app.access.quotas import check_bytes, check_models
from app.db.session import TenantEngine, transaction
from app.domain.vocabulary import ResourceStatus
from app.errors import Unprocessable
from app.http.content import accept, delete_unused, digests_of, taking_over
from app.http.dependencies import BlobsDep, QueueDep, SessionDep, SettingsDep, TenantDep
from app.http.doorbell import ring
from app.http.idempotency import OnceDep
from app.http.openapi import RAW_BODY
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.upload import receive_blob
from app.models import service
from app.models.repository import get_model, list_models
from app.models.schemas import Model, ModelRequest
from app.queue import TaskName
from app.settings import Settings
from app.storage.blobs import BlobStore, StoredBlob

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.post("", status_code=201, summary="Register a model", responses=problem_responses(400, 409, 413, 415, 422))
def create_model(
    request: ModelRequest, session: SessionDep, settings: SettingsDep, response: Response, once: OnceDep
) -> Model:
    """Describe the classifier first; its weights follow with `PUT content_url`."""
    shown = once.earlier(session, request, Model)
    if shown is None:
        shown = Model.of(service.register(session, request))
        once.remember(session, shown.id, shown)
        check_models(session, settings)
        session.commit()
    response.headers["Location"] = f"/v1/models/{shown.id}"
    return shown


@router.put(
    "/{model_id}/content",
    status_code=202,
    summary="Upload a model's weights",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_content(
    model_id: UUID, request: Request, tenant: TenantDep, blobs: BlobsDep, queue: QueueDep, settings: SettingsDep
) -> Model:
    """Raw bytes, streamed; `Content-Digest: sha-256=:...:` is checked. The worker then looks into them: poll the
    model until its status is `ready` or `rejected`."""
    await to_thread.run_sync(_find, tenant, model_id)
    blob = await _receive(request, blobs, settings.max_upload_bytes)
    model, is_new = await to_thread.run_sync(_accept, tenant, settings, blobs, model_id, blob)
    if is_new:
        await to_thread.run_sync(ring, queue, TaskName.VALIDATE_MODEL, model_id)
    return model


async def _receive(request: Request, blobs: BlobStore, max_bytes: int) -> StoredBlob:
    """An empty file is a model file like any other, and an invalid one."""
    try:
        return await receive_blob(request, blobs, max_bytes)
    except Unprocessable as error:
        if error.code == "empty-body":
            raise Unprocessable("model-invalid", "The file is empty: it holds no weights.") from error
        raise


def _find(tenant: TenantEngine, model_id: UUID) -> None:
    with transaction(tenant) as session:
        get_model(session, model_id)


def _accept(
    tenant: TenantEngine, settings: Settings, blobs: BlobStore, model_id: UUID, blob: StoredBlob
) -> tuple[Model, bool]:
    with taking_over(tenant, blobs, blob) as session:
        row = get_model(session, model_id, lock=True)
        replaced = digests_of(row) - {blob.digest}
        is_new = accept(row, blob)
        session.flush()
        check_bytes(session, settings)
        session.refresh(row)
        shown = Model.of(row)
    if is_new:
        delete_unused(tenant.engine, blobs, replaced)
    return shown, is_new


@router.get("", summary="List models, the newest first", responses=problem_responses(422))
def get_models(
    session: SessionDep,
    page: PageDep,
    status: ResourceStatus | None = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[Model]:
    """Filter by status or by the exact name."""
    rows = list_models(session, page.limit, page.after_id(), status=status, name=name)
    return make_page(rows, page.limit, Model.of, lambda row: [str(row.id)])


@router.get("/{model_id}", summary="Read a model", responses=problem_responses(404))
def get_one_model(model_id: UUID, session: SessionDep) -> Model:
    """With its digest, and, once it is ready, what the probe found."""
    return Model.of(get_model(session, model_id))


@router.delete("/{model_id}", status_code=204, summary="Delete a model", responses=problem_responses(404, 409))
def delete_model(model_id: UUID, session: SessionDep, tenant: TenantDep, blobs: BlobsDep) -> None:
    """Refused while a run group or an audit refers to it."""
    digests = service.delete(session, get_model(session, model_id, lock=True))
    session.commit()
    delete_unused(tenant.engine, blobs, digests)
