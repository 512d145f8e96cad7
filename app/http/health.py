"""Is the process alive, and can it do its work."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from app.http.dependencies import BlobsDep, QueueDep, ServiceSessionDep
from app.http.problems import problem_responses

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """All is well; anything else is a problem document."""

    status: Literal["ok"] = "ok"


@router.get("/livez", summary="Is the process alive")
def live() -> Health:
    """For a restart policy: a process that does not answer is to be started again. Asks nothing of other parts."""
    return Health()


@router.get("/readyz", summary="Can the service do its work", responses=problem_responses(503))
def ready(session: ServiceSessionDep, queue: QueueDep, blobs: BlobsDep) -> Health:
    """For a load balancer: whether to send requests here, since database, broker and blob store answer."""
    session.execute(text("SELECT 1"))
    queue.ping()
    blobs.ping()
    return Health()
