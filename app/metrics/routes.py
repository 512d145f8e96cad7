"""``/metrics`` in Prometheus's text format."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from app.errors import Unavailable
from app.http.authorization import READS_METRICS
from app.http.dependencies import QueueDep, ServiceSessionDep
from app.http.problems import problem_responses
from app.metrics.families import SnapshotCollector
from app.metrics.repository import read_snapshot
from app.queue import TaskQueue

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    dependencies=[READS_METRICS],
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        **problem_responses(503),
        200: {"content": {CONTENT_TYPE_LATEST: {}}, "description": "Prometheus's text format."},
    },
)
def metrics(session: ServiceSessionDep, queue: QueueDep) -> Response:
    """For Prometheus to scrape: the service's audits, shards, queues and workers, from the database, the same in every
    API process. HTTP requests, memory and processor time are this process's own."""
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(read_snapshot(session), _depths(queue)))
    return Response(generate_latest(REGISTRY) + generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _depths(queue: TaskQueue) -> dict[str, int] | None:
    try:
        return queue.depths()
    except Unavailable:
        return None
