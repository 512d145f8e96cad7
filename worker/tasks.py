"""The worker's Celery tasks: each finds its context, calls the work and decides about another try."""

from typing import Any
from uuid import UUID

from sqlalchemy.exc import OperationalError

from app.errors import TransientFailure, Unavailable
from app.queue import TaskName
from worker.intake.datasets import index_dataset
from worker.intake.map_sets import read_map_set
from worker.intake.models import validate_model
from worker.intake.references import check_reference
from worker.lifecycle.celery_app import celery_app, worker_context
from worker.results.comparer import compare_audits
from worker.results.reducer import reduce_audit
from worker.results.rescorer import rescore_audit
from worker.shards.runner import run_next_shard
from worker.shards.view_archives import archive_views

PASSING = (TransientFailure, Unavailable, OperationalError)
RETRIES: dict[str, Any] = {
    "autoretry_for": PASSING,
    "retry_backoff": 1,
    "retry_backoff_max": 60,
    "max_retries": None,
}


@celery_app.task(name=TaskName.VALIDATE_MODEL, **RETRIES)
def validate_model_task(model_id: str) -> None:
    validate_model(worker_context(), UUID(model_id))


@celery_app.task(name=TaskName.CHECK_REFERENCE, **RETRIES)
def check_reference_task(model_id: str) -> None:
    check_reference(worker_context(), UUID(model_id))


@celery_app.task(name=TaskName.INDEX_DATASET, **RETRIES)
def index_dataset_task(dataset_id: str) -> None:
    index_dataset(worker_context(), UUID(dataset_id))


@celery_app.task(name=TaskName.RUN_SHARD, **RETRIES)
def run_shard_task() -> None:
    run_next_shard(worker_context())


@celery_app.task(name=TaskName.REDUCE_AUDIT, **RETRIES)
def reduce_audit_task(audit_id: str) -> None:
    reduce_audit(worker_context(), UUID(audit_id))


@celery_app.task(name=TaskName.COMPARE_AUDITS, **RETRIES)
def compare_audits_task(comparison_id: str) -> None:
    compare_audits(worker_context(), UUID(comparison_id))


@celery_app.task(name=TaskName.RESCORE_AUDIT, **RETRIES)
def rescore_audit_task(rescore_id: str) -> None:
    rescore_audit(worker_context(), UUID(rescore_id))


@celery_app.task(name=TaskName.ARCHIVE_VIEWS, **RETRIES)
def archive_views_task(archive_id: str) -> None:
    archive_views(worker_context(), UUID(archive_id))


@celery_app.task(name=TaskName.READ_MAP_SET, **RETRIES)
def read_map_set_task(map_set_id: str) -> None:
    read_map_set(worker_context(), UUID(map_set_id))
