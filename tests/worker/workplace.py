"""A worker's context on real servers, and an audit's inputs put there through the worker's own doors."""

from uuid import UUID

from prepare import build_archive

from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.waiting import RECIPE, WEIGHTS
from worker.context import WorkerContext
from worker.dataset_indexer import index_dataset
from worker.model_validator import validate_model

RUNS = ("cross_entropy_run1", "cross_entropy_run2")


def prepare(context: WorkerContext) -> tuple[UUID, list[UUID]]:
    """A data set and two models."""
    dataset_id, model_ids = new_id(), [new_id() for _ in RUNS]
    with transaction(context.engine) as session:
        dataset = DatasetRow(id=dataset_id, name="faces", labels=[], sources=[], notes=[], extra={})
        models = [
            ModelRow(
                id=id_,
                name=run,
                architecture=RECIPE["architecture"],
                format="safetensors",
                class_names=RECIPE["class_names"],
                preprocessing=RECIPE["preprocessing"] | {"resize": "stretch"},
                extra={},
            )
            for id_, run in zip(model_ids, RUNS, strict=True)
        ]
        contents = [build_archive(), *((WEIGHTS / f"{run}.safetensors").read_bytes() for run in RUNS)]
        for row, content in zip([dataset, *models], contents, strict=True):
            row.content_digest, row.status = _store(context, content), ResourceStatus.VALIDATING
            session.add(row)
    index_dataset(context, dataset_id)
    for model_id in model_ids:
        validate_model(context, model_id)
    return dataset_id, model_ids


def _store(context: WorkerContext, content: bytes) -> str:
    with context.blobs.writer(len(content)) as writer:
        writer.write(content)
        return writer.commit().digest
