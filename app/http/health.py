"""Is the process alive, can it do its work, and how much of it is there."""

from contextlib import suppress
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client import REGISTRY as PROCESS_REGISTRY
from pydantic import BaseModel
from sqlalchemy import func, select, text

from app.db.tables import AuditRow, ShardRow
from app.domain.vocabulary import AuditStatus, ShardStatus
from app.errors import Unavailable
from app.http.dependencies import BlobsDep, QueueDep, SessionDep
from app.http.problems import problem_responses

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """All is well; anything else is a problem document."""

    status: Literal["ok"] = "ok"


@router.get("/livez", summary="Is the process alive")
def live() -> Health:
    """For a restart policy: it asks nothing of other parts."""
    return Health()


@router.get("/readyz", summary="Can the service do its work", responses=problem_responses(503))
def ready(session: SessionDep, queue: QueueDep, blobs: BlobsDep) -> Health:
    """For a load balancer: database, broker and blob store answer."""
    session.execute(text("SELECT 1"))
    queue.ping()
    blobs.ping()
    return Health()


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses=problem_responses(503))
def metrics(session: SessionDep, queue: QueueDep) -> Response:
    """Requests of this process; of the service, audits and shards by status and, if the broker answers, queue depth."""
    registry = CollectorRegistry()
    audits = Gauge("salience_audit_audits", "Audits by status", ["status"], registry=registry)
    shards = Gauge("salience_audit_shards", "Shards by status", ["status"], registry=registry)
    depth = Gauge("salience_audit_queue_depth", "Messages that wait in the broker", registry=None)
    counted_audits = session.execute(select(AuditRow.status, func.count()).group_by(AuditRow.status)).tuples()
    for audit_status, number in (dict.fromkeys(AuditStatus, 0) | dict(counted_audits.all())).items():
        audits.labels(audit_status).set(number)
    counted_shards = session.execute(select(ShardRow.status, func.count()).group_by(ShardRow.status)).tuples()
    for shard_status, number in (dict.fromkeys(ShardStatus, 0) | dict(counted_shards.all())).items():
        shards.labels(shard_status).set(number)
    with suppress(Unavailable):
        depth.set(queue.depth())
        registry.register(depth)
    return Response(generate_latest(PROCESS_REGISTRY) + generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
