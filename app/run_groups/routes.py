"""``/v1/run-groups``."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from app.db.tables import RunGroupRow
from app.http.authorization import READS, WRITES
from app.http.dependencies import SessionDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.naming.filters import Filter
from app.naming.schemas import CHANGE_PROBLEMS, Change
from app.naming.versions import reword
from app.run_groups.repository import (
    delete_run_group,
    get_run_group,
    insert_run_group,
    list_run_groups,
    members_of,
)
from app.run_groups.schemas import RunGroup, RunGroupId, RunGroupRequest

router = APIRouter(prefix="/v1/run-groups", tags=["run groups"])


def _show(row: RunGroupRow, members: dict[UUID, list[UUID]]) -> RunGroup:
    return RunGroup(
        id=row.id,
        name=row.name,
        description=row.about,
        metadata=row.extra,
        tags=row.tags,
        model_ids=members[row.id],
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


@router.post(
    "", dependencies=[WRITES], status_code=201, summary="Group models", responses=problem_responses(400, 413, 415, 422)
)
def create_run_group(
    request: RunGroupRequest, session: SessionDep, response: Response, idempotency: IdempotencyDep
) -> RunGroup:
    """Where you trained one recipe several times, with other seeds: an audit of the group measures every model, the
    spread over them, and their stability, that is, whether independent trainings look at the same things. Models may
    be grouped before they are ready.

    The examples' ids are made up: put those of your models, from `GET /v1/models`."""
    shown = idempotency.earlier(session, request, RunGroup)
    if shown is None:
        row = insert_run_group(session, request)
        shown = _show(row, members_of(session, [row.id]))
        idempotency.remember(session, shown.id, shown)
        session.commit()
    response.headers["Location"] = link(f"/v1/run-groups/{shown.id}")
    return shown


@router.get("", dependencies=[READS], summary="List run groups, the newest first", responses=problem_responses(422))
def get_run_groups(session: SessionDep, page: PageDep, wanted: Annotated[Filter, Depends()]) -> Page[RunGroup]:
    """To find an id again. Each has the ids of its models."""
    rows = list_run_groups(session, page.limit, page.after_id(), wanted)
    members = members_of(session, [row.id for row in rows.items])
    return make_page(rows, lambda row: _show(row, members), lambda row: [str(row.id)])


@router.get("/{run_group_id}", dependencies=[READS], summary="Read a run group", responses=problem_responses(404))
def get_one_run_group(run_group_id: RunGroupId, session: SessionDep) -> RunGroup:
    """To see which models an audit of the group would measure, in the order in which they were named."""
    row = get_run_group(session, run_group_id)
    return _show(row, members_of(session, [row.id]))


@router.patch(
    "/{run_group_id}",
    dependencies=[WRITES],
    summary="Change a run group's name and words",
    responses=CHANGE_PROBLEMS,
)
def change_run_group(run_group_id: RunGroupId, request: Change, session: SessionDep) -> RunGroup:
    """Its name, description, metadata and tags; what is left out stays. Its models never change."""
    row = get_run_group(session, run_group_id, lock=True)
    reword(session, row, request)
    session.commit()
    return _show(row, members_of(session, [row.id]))


@router.delete(
    "/{run_group_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a run group",
    responses=problem_responses(404, 409),
)
def remove_run_group(run_group_id: RunGroupId, session: SessionDep) -> None:
    """When the grouping is no longer needed, or before its models are deleted. They stay, and so do its audits that
    have ended; refused while one of its audits runs."""
    delete_run_group(session, get_run_group(session, run_group_id, lock=True))
    session.commit()
