"""Is the process alive, and can it do its work."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from app.db.presence import NOBODY, workers_present
from app.db.trial import try_requests_work
from app.http.authorization import OPEN
from app.http.dependencies import BlobsDep, OwnTenantSessionDep, QueueDep
from app.http.problems import problem_responses


async def _kept_nowhere(response: Response) -> None:
    """How it was a moment ago is no answer."""
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(tags=["operations"], dependencies=[Depends(_kept_nowhere)])


class Health(BaseModel):
    """All is well; anything else is a problem document."""

    status: Literal["ok"] = "ok"
    notes: list[str] = Field(
        default_factory=list,
        exclude_if=lambda notes: not notes,
        description="What does not keep requests out, but work from being done: no worker is there.",
    )


@router.get("/livez", dependencies=[OPEN], summary="Is the process alive")
def live() -> Health:
    """For a restart policy: a process that does not answer is to be started again. Asks nothing of other parts."""
    return Health()


@router.get("/readyz", dependencies=[OPEN], summary="Can the service do its work", responses=problem_responses(503))
def ready(session: OwnTenantSessionDep, queue: QueueDep, blobs: BlobsDep) -> Health:
    """For a load balancer: whether to send requests here, since database, broker and blob store answer.

    The database is tried as requests use it: a tenant's transaction writes a row, reads it and rolls back.
    Workers are told of in `notes`: without one the service takes requests, and nothing gets done.
    """
    try_requests_work(session)
    queue.ping()
    blobs.ping()
    return Health(notes=[] if workers_present(session).total() else [NOBODY])
