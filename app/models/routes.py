"""``/v1/models``."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access.quotas import check_models
from app.db.references import delete_audits, of_model
from app.domain.problems import uploads
from app.errors import Unprocessable
from app.http.authorization import READS, WRITES
from app.http.dependencies import BlobsDep, QueueDep, SessionDep, SettingsDep, TenantDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.openapi.document import RAW_BODY
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import CascadeFlag, StatusFilter
from app.http.two_steps import SECOND_STEP, first_step
from app.http.wake_up import wake_worker
from app.models import service
from app.models.repository import delete_run_groups_of, get_model, list_models
from app.models.requests import ModelChange, ModelRequest
from app.models.schemas import Model, ModelId
from app.naming.filters import VersionFilter
from app.naming.schemas import CHANGE_PROBLEMS
from app.naming.versions import change
from app.queue import TaskName
from app.storage.blobs import BlobStore
from app.storage.writing import StoredBlob
from app.uploads.content import delete_unused
from app.uploads.putting import Resource, UploadsDep
from app.uploads.receiving import receive_blob

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.post(
    "",
    dependencies=[WRITES, first_step('"name", "format", "architecture", ...')],
    status_code=201,
    summary="Register a model",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def create_model(
    request: ModelRequest, session: SessionDep, settings: SettingsDep, response: Response, idempotency: IdempotencyDep
) -> Model:
    """The first of two steps that bring in a classifier: which network it is, which classes it tells apart, and how an
    image becomes its input. The second is to send the weights with `PUT` to the answer's `content_url`. Nothing runs
    before that. With a `source` there is no second step: they are fetched from a registry."""
    shown = idempotency.earlier(session, request, Model)
    if shown is None:
        shown = Model.of(service.register(session, request))
        idempotency.remember(session, shown.id, shown)
        check_models(session, settings)
        session.commit()
    response.headers["Location"] = link(f"/v1/models/{shown.id}")
    return shown


@router.put(
    "/{model_id}/content",
    dependencies=[WRITES, SECOND_STEP],
    status_code=202,
    summary="Upload a model's weights",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_content(model_id: ModelId, request: Request, uploads: UploadsDep) -> Model:
    """The second step, after `POST /v1/models`: the file itself as the body, which is streamed and may be large. A
    worker then loads it in a sandbox and tries it: read the model until its status is `ready` or `rejected`. Rejected
    content may be sent again; accepted content stays, so register another model for other weights."""
    return await uploads.put(_RESOURCE, model_id, request)


async def _receive(request: Request, blobs: BlobStore, max_bytes: int) -> StoredBlob:
    """An empty file is a model file like any other, and an invalid one."""
    try:
        return await receive_blob(request, blobs, max_bytes)
    except Unprocessable as error:
        if error.code == "empty-body":
            raise uploads.NO_WEIGHTS.error() from error
        raise


_RESOURCE = Resource(
    find=get_model,
    lock=partial(get_model, lock=True),
    show=Model.of,
    receive=_receive,
    task=TaskName.VALIDATE_MODEL,
)


@router.put(
    "/{model_id}/reference",
    dependencies=[WRITES, SECOND_STEP],
    status_code=202,
    summary="Upload predictions of your own code",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_reference(model_id: ModelId, request: Request, uploads: UploadsDep) -> Model:
    """The proof that the model here is the one you trained: a zip of up to 256 images and an `outputs.jsonl`, with a
    line `{"path": "a.png", "class": "cat"}` or `{"path": "a.png", "outputs": [0.1, 2.3]}` (logits or probabilities) for
    each, as your own code gave them. A worker takes the images through the whole path; read the model until `fidelity`
    is there. Another upload replaces it. Audits of a model that is `contradicted` are refused."""
    return await uploads.put(_REFERENCE, model_id, request)


_REFERENCE = Resource(
    find=get_model,
    lock=partial(get_model, lock=True),
    show=Model.of,
    receive=partial(receive_blob, check_start=service.check_reference_start),
    task=TaskName.CHECK_REFERENCE,
    accept=service.accept_reference,
)


@router.get("", dependencies=[READS], summary="List models, the newest first", responses=problem_responses(422))
def get_models(
    session: SessionDep,
    page: PageDep,
    wanted: Annotated[VersionFilter, Depends()],
    status: StatusFilter = None,
) -> Page[Model]:
    """To find an id again, or what still waits for its weights: filter by status, the exact name, version, alias, tag
    or time. Without `candidate_layers`."""
    rows = list_models(session, page.limit, page.after_id(), status=status, wanted=wanted)
    return make_page(rows, Model.listed, lambda row: [str(row.id)])


@router.get("/{model_id}", dependencies=[READS], summary="Read a model", responses=problem_responses(404))
def get_one_model(model_id: ModelId, session: SessionDep) -> Model:
    """After an upload, to wait until it is `ready`, or to learn from `problem` why it is `rejected`. Later, to see what
    the probe found: parameters, classes, the layer that maps are taken from and others that could be named, speed."""
    return Model.of(get_model(session, model_id))


@router.patch(
    "/{model_id}",
    dependencies=[WRITES],
    summary="Change a model's name and words",
    responses=CHANGE_PROBLEMS | problem_responses(409),
)
def change_model(model_id: ModelId, request: ModelChange, session: SessionDep, queue: QueueDep) -> Model:
    """Its name, description (shown as `about`), metadata, tags and aliases; what is left out stays. An alias such as
    `champion` moves here from the version of the name that has it. Of an imported model that `needs_description`, also
    what is `missing`; with the last of it a worker begins."""
    row = get_model(session, model_id, lock=True)
    is_complete = bool(request.given) and service.complete(session, row, request.given)
    change(session, row, request)
    session.commit()
    if is_complete:
        wake_worker(queue, TaskName.VALIDATE_MODEL, row.id)
    return Model.of(row)


@router.delete(
    "/{model_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a model",
    responses=problem_responses(404, 409, 422),
)
def delete_model(
    model_id: ModelId, session: SessionDep, tenant: TenantDep, blobs: BlobsDep, *, cascade: CascadeFlag = False
) -> None:
    """When nobody needs it any more, with its weights, to make room. Refused while a run group or an audit refers to
    it: delete those first, or ask for `cascade=true`."""
    row = get_model(session, model_id, lock=True)
    if cascade:
        delete_audits(session, "model", of_model(row.id))
        delete_run_groups_of(session, row.id)
    digests = service.delete(session, row)
    session.commit()
    delete_unused(tenant.engine, blobs, digests)
