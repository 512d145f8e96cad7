"""A worker's context on real servers, and an audit's inputs put there through the worker's own tasks."""

from uuid import UUID

from prepare import build_archive

from app.db.session import transaction
from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.factories import dataset_row, model_row
from tests.stored import put
from tests.waiting import RECIPE, WEIGHTS
from worker.intake.datasets import index_dataset
from worker.intake.models import validate_model
from worker.lifecycle.context import WorkerContext

Ids = tuple[UUID, list[UUID]]
"""Of a data set, and of models."""
RUNS = ("cross_entropy_run1", "cross_entropy_run2")


def prepare(context: WorkerContext) -> Ids:
    """A data set and two models, looked into and ready."""
    dataset = dataset_row(name="faces")
    _add(context, dataset, build_archive())
    index_dataset(context, dataset.id)
    model_ids = [upload_model(context, run) for run in RUNS]
    for model_id in model_ids:
        validate_model(context, model_id)
    return dataset.id, model_ids


def upload_model(context: WorkerContext, run: str) -> UUID:
    """One of the example's networks; nobody has looked into it yet."""
    model = model_row(name=run, preprocessing=RECIPE["preprocessing"] | {"resize": "stretch"})
    _add(context, model, (WEIGHTS / f"{run}.safetensors").read_bytes())
    return model.id


def _add(context: WorkerContext, row: DatasetRow | ModelRow, content: bytes) -> None:
    row.content_digest, row.status = put(context.blobs, content), ResourceStatus.VALIDATING
    with transaction(context.engine) as session:
        session.add(row)
