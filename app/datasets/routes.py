"""``/v1/datasets``."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.datasets import service
from app.datasets.repository import SampleFilter, get_dataset, list_datasets, list_samples
from app.datasets.schemas import Dataset, DatasetId, DatasetRequest, Sample
from app.db.references import delete_audits
from app.db.tables import AuditRow
from app.http.authorization import READS, WRITES
from app.http.dependencies import BlobsDep, SessionDep, TenantDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.openapi.document import RAW_BODY
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import CascadeFlag, StatusFilter
from app.http.two_steps import SECOND_STEP, first_step
from app.naming.filters import VersionFilter
from app.naming.schemas import CHANGE_PROBLEMS, VersionedChange
from app.naming.versions import change
from app.queue import TaskName
from app.uploads.content import delete_unused
from app.uploads.putting import Resource, UploadsDep
from app.uploads.receiving import receive_blob

router = APIRouter(prefix="/v1/datasets", tags=["data sets"])


@router.post(
    "",
    dependencies=[WRITES, first_step('"name"')],
    status_code=201,
    summary="Register a data set",
    responses=problem_responses(400, 404, 413, 415, 422),
)
def create_dataset(
    request: DatasetRequest, session: SessionDep, response: Response, idempotency: IdempotencyDep
) -> Dataset:
    """The first of two steps that bring in images: a name, and notes of your own. The second is to send the archive
    with `PUT` to the answer's `content_url`. With a `source` there is no second step: the images are fetched."""
    shown = idempotency.earlier(session, request, Dataset)
    if shown is None:
        shown = Dataset.of(service.register(session, request))
        idempotency.remember(session, shown.id, shown)
        session.commit()
    response.headers["Location"] = link(f"/v1/datasets/{shown.id}")
    return shown


@router.put(
    "/{dataset_id}/content",
    dependencies=[WRITES, SECOND_STEP],
    status_code=202,
    summary="Upload a data set's archive",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_content(dataset_id: DatasetId, request: Request, uploads: UploadsDep) -> Dataset:
    """The second step, after `POST /v1/datasets`: a zip, or a tar (also as .gz, .bz2, .xz or .zst), of images as the
    body. Folders are labels (`label/file` or `label/source/file`, below `train/`, `test/` and the like where these are
    splits), or a manifest inside says `path,label,source,split` and more. A worker then opens every image: read the
    data set until it is `ready` or `rejected`. Images that cannot be read are left out and listed, not fatal; `notes`
    say what was assumed."""
    return await uploads.put(_RESOURCE, dataset_id, request)


_RESOURCE = Resource(
    find=get_dataset,
    lock=partial(get_dataset, lock=True),
    show=Dataset.of,
    receive=partial(receive_blob, check_start=service.check_start),
    task=TaskName.INDEX_DATASET,
)


@router.get("", dependencies=[READS], summary="List data sets, the newest first", responses=problem_responses(422))
def get_datasets(
    session: SessionDep, page: PageDep, wanted: Annotated[VersionFilter, Depends()], status: StatusFilter = None
) -> Page[Dataset]:
    """To find an id again, or what still waits for its archive: filter by status, the exact name, version, alias, tag
    or time."""
    rows = list_datasets(session, page.limit, page.after_id(), status=status, wanted=wanted)
    return make_page(rows, Dataset.of, lambda row: [str(row.id)])


@router.get("/{dataset_id}", dependencies=[READS], summary="Read a data set", responses=problem_responses(404))
def get_one_dataset(dataset_id: DatasetId, session: SessionDep) -> Dataset:
    """After an upload, to wait until it is `ready`, or to learn from `problem` why it is `rejected`. Then it has its
    labels, sources and counts: look whether they are the ones you meant before you start an audit."""
    return Dataset.of(get_dataset(session, dataset_id))


@router.get(
    "/{dataset_id}/samples",
    dependencies=[READS],
    summary="List a data set's samples",
    responses=problem_responses(404, 422),
)
def get_samples(
    dataset_id: DatasetId, session: SessionDep, page: PageDep, wanted: Annotated[SampleFilter, Depends()]
) -> Page[Sample]:
    """To check what was read from the archive, by name, with label, source and size. `status=unreadable` lists what was
    left out, each with its reason."""
    get_dataset(session, dataset_id)
    after = page.after(1)
    rows = list_samples(session, dataset_id, wanted, page.limit, None if after is None else str(after[0]))
    return make_page(rows, Sample.of, lambda row: [row.name])


@router.patch(
    "/{dataset_id}", dependencies=[WRITES], summary="Change a data set's name and words", responses=CHANGE_PROBLEMS
)
def change_dataset(dataset_id: DatasetId, request: VersionedChange, session: SessionDep) -> Dataset:
    """Its name, description, metadata, tags and aliases; what is left out stays. Its images never change."""
    row = get_dataset(session, dataset_id, lock=True)
    change(session, row, request)
    session.commit()
    return Dataset.of(row)


@router.delete(
    "/{dataset_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a data set",
    responses=problem_responses(404, 409, 422),
)
def delete_dataset(
    dataset_id: DatasetId, session: SessionDep, tenant: TenantDep, blobs: BlobsDep, *, cascade: CascadeFlag = False
) -> None:
    """When nobody needs it any more, with its images, to make room. Refused while an audit refers to it: delete that
    first, or ask for `cascade=true`."""
    row = get_dataset(session, dataset_id, lock=True)
    if cascade:
        delete_audits(session, "data set", AuditRow.dataset_id == row.id)
    digests = service.delete(session, row)
    session.commit()
    delete_unused(tenant.engine, blobs, digests)
