"""``/v1/map-sets``."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.db.references import delete_audits, of_map_set
from app.http.authorization import READS, WRITES
from app.http.dependencies import BlobsDep, SessionDep, TenantDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.openapi.document import RAW_BODY
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.schemas import CascadeFlag
from app.http.two_steps import SECOND_STEP, first_step
from app.map_sets import service
from app.map_sets.repository import GivenMapFilter, MapSetFilter, get_map_set, list_map_sets, list_maps
from app.map_sets.schemas import GivenMap, MapSet, MapSetId, MapSetRequest
from app.naming.schemas import CHANGE_PROBLEMS, VersionedChange
from app.naming.versions import change
from app.queue import TaskName
from app.uploads.content import delete_unused
from app.uploads.putting import Resource, UploadsDep
from app.uploads.receiving import receive_blob

router = APIRouter(prefix="/v1/map-sets", tags=["map sets"])


@router.post(
    "",
    dependencies=[WRITES, first_step('"name", "dataset_id", "kind"')],
    status_code=201,
    summary="Register a map set",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def create_map_set(
    request: MapSetRequest, session: SessionDep, response: Response, idempotency: IdempotencyDep
) -> MapSet:
    """The first of two steps that bring in maps which no model here made: of people, of their gaze, or of another
    tool. The second is to send them with `PUT` to the answer's `content_url`. For maps of the images that audits hand
    out, say their `input_size`.

    The examples' ids are made up: put yours from `GET /v1/datasets`."""
    shown = idempotency.earlier(session, request, MapSet)
    if shown is None:
        shown = MapSet.of(service.register(session, request))
        idempotency.remember(session, shown.id, shown)
        session.commit()
    response.headers["Location"] = link(f"/v1/map-sets/{shown.id}")
    return shown


@router.put(
    "/{map_set_id}/content",
    dependencies=[WRITES, SECOND_STEP],
    status_code=202,
    summary="Upload a map set's maps",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 507),
    openapi_extra=RAW_BODY,
)
async def put_content(map_set_id: MapSetId, request: Request, uploads: UploadsDep) -> MapSet:
    """The second step, after `POST /v1/map-sets`: a zip or tar with one map a sample, by the sample's name with or
    without its ending: images (grey masks, strokes, density maps) or `.npy`; or the `.npz` that `numpy.savez` wrote, an
    array a sample. Maps may have any size. A worker then reads every one: read the map set until it is `ready` or
    `rejected`. What is no map, or of no sample, is listed with its reason, not fatal."""
    return await uploads.put(_RESOURCE, map_set_id, request)


_RESOURCE = Resource(
    find=get_map_set,
    lock=service.lock_for_content,
    show=MapSet.of,
    receive=partial(receive_blob, check_start=service.check_start),
    task=TaskName.READ_MAP_SET,
)


@router.get("", dependencies=[READS], summary="List map sets, the newest first", responses=problem_responses(422))
def get_map_sets(session: SessionDep, page: PageDep, wanted: Annotated[MapSetFilter, Depends()]) -> Page[MapSet]:
    """To find an id again: filter by data set, status, the exact name, version, alias, tag or time."""
    rows = list_map_sets(session, wanted, page.limit, page.after_id())
    return make_page(rows, MapSet.of, lambda row: [str(row.id)])


@router.get("/{map_set_id}", dependencies=[READS], summary="Read a map set", responses=problem_responses(404))
def get_one_map_set(map_set_id: MapSetId, session: SessionDep) -> MapSet:
    """After an upload, to wait until it is `ready`, or to learn from `problem` why it is `rejected`."""
    return MapSet.of(get_map_set(session, map_set_id))


@router.get(
    "/{map_set_id}/maps",
    dependencies=[READS],
    summary="List a map set's maps",
    responses=problem_responses(404, 422),
)
def get_maps(
    map_set_id: MapSetId, session: SessionDep, page: PageDep, wanted: Annotated[GivenMapFilter, Depends()]
) -> Page[GivenMap]:
    """To check which sample each map was taken for. `status=unreadable` lists what gave no map, each with its
    reason."""
    get_map_set(session, map_set_id)
    rows = list_maps(session, map_set_id, wanted, page.limit, page.after_id())
    return make_page(rows, GivenMap.of, lambda row: [str(row.id)])


@router.patch(
    "/{map_set_id}", dependencies=[WRITES], summary="Change a map set's name and words", responses=CHANGE_PROBLEMS
)
def change_map_set(map_set_id: MapSetId, request: VersionedChange, session: SessionDep) -> MapSet:
    """Its name, description, metadata, tags and aliases; what is left out stays. Its maps never change."""
    row = get_map_set(session, map_set_id, lock=True)
    change(session, row, request)
    session.commit()
    return MapSet.of(row)


@router.delete(
    "/{map_set_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a map set",
    responses=problem_responses(404, 409, 422),
)
def delete_map_set(
    map_set_id: MapSetId, session: SessionDep, tenant: TenantDep, blobs: BlobsDep, *, cascade: CascadeFlag = False
) -> None:
    """With its maps. Refused while an audit refers to it: delete that first, or ask for `cascade=true`. It goes with
    its data set as well."""
    row = get_map_set(session, map_set_id, lock=True)
    if cascade:
        delete_audits(session, "map set", of_map_set(row.id))
    digests = service.delete(session, row)
    session.commit()
    delete_unused(tenant.engine, blobs, digests)
