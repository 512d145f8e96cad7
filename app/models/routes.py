"""``/v1/models``."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.quotas import check_models
from app.errors import Unprocessable
from app.http.authorization import READS, WRITES
from app.http.dependencies import BlobsDep, SessionDep, SettingsDep, TenantDep
from app.http.idempotency import OnceDep
from app.http.openapi.document import RAW_BODY
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import StatusFilter
from app.models import service
from app.models.repository import get_model, list_models
from app.models.schemas import Model, ModelId, ModelRequest
from app.queue import TaskName
from app.storage.blobs import BlobStore, StoredBlob
from app.uploads.content import delete_unused
from app.uploads.putting import Resource, UploadsDep
from app.uploads.receiving import receive_blob

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Register a model",
    responses=problem_responses(400, 409, 413, 415, 422),
)
def create_model(
    request: ModelRequest, session: SessionDep, settings: SettingsDep, response: Response, once: OnceDep
) -> Model:
    """The first of two steps that bring in a classifier: which network it is, which classes it tells apart, and how an
    image becomes its input. The second is to send the weights with `PUT` to the answer's `content_url`. Nothing runs
    before that."""
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
    dependencies=[WRITES],
    status_code=202,
    summary="Upload a model's weights",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_content(model_id: ModelId, request: Request, uploads: UploadsDep) -> Model:
    """The second step, after `POST /v1/models`: the file itself as the body, which is streamed and may be large. A
    worker then loads it behind walls and tries it: read the model until its status is `ready` or `rejected`. Rejected
    content may be sent again; accepted content stays, so register another model for other weights."""
    return await uploads.put(_RESOURCE, model_id, request)


async def _receive(request: Request, blobs: BlobStore, max_bytes: int) -> StoredBlob:
    """An empty file is a model file like any other, and an invalid one."""
    try:
        return await receive_blob(request, blobs, max_bytes)
    except Unprocessable as error:
        if error.code == "empty-body":
            raise Unprocessable("model-invalid", "The file is empty: it holds no weights.") from error
        raise


_RESOURCE = Resource(
    find=get_model,
    lock=partial(get_model, lock=True),
    show=Model.of,
    receive=_receive,
    task=TaskName.VALIDATE_MODEL,
)


@router.get("", dependencies=[READS], summary="List models, the newest first", responses=problem_responses(422))
def get_models(
    session: SessionDep,
    page: PageDep,
    status: StatusFilter = None,
    name: Annotated[str | None, Query(max_length=200, description="Exactly this name.")] = None,
) -> Page[Model]:
    """To find an id again, or what still waits for its weights: filter by status or by the exact name."""
    rows = list_models(session, page.limit, page.after_id(), status=status, name=name)
    return make_page(rows, Model.of, lambda row: [str(row.id)])


@router.get("/{model_id}", dependencies=[READS], summary="Read a model", responses=problem_responses(404))
def get_one_model(model_id: ModelId, session: SessionDep) -> Model:
    """After an upload, to wait until it is `ready`, or to learn from `problem` why it is `rejected`. Later, to see what
    the probe found: parameters, classes, the layer that maps are taken from and others that could be named, speed."""
    return Model.of(get_model(session, model_id))


@router.delete(
    "/{model_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a model",
    responses=problem_responses(404, 409),
)
def delete_model(model_id: ModelId, session: SessionDep, tenant: TenantDep, blobs: BlobsDep) -> None:
    """When nobody needs it any more, with its weights, to make room. Refused while a run group or an audit refers to
    it: delete those first."""
    digests = service.delete(session, get_model(session, model_id, lock=True))
    session.commit()
    delete_unused(tenant.engine, blobs, digests)
