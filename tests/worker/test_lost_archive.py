"""A data set whose archive the store lost before anybody looked into it."""

from app.db.session import transaction
from app.db.tables import DatasetRow
from app.domain.vocabulary import ResourceStatus
from tests.factories import dataset_row
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext


def test_an_archive_that_was_lost_before_anybody_looked(context: WorkerContext) -> None:
    digest = "sha256:" + "0" * 64
    row = dataset_row(status=ResourceStatus.VALIDATING, content_digest=digest)
    row.labels, row.sources, row.notes = [], [], []
    with transaction(context.engine) as session:
        session.add(row)
    index_dataset(context, row.id)
    with transaction(context.engine) as session:
        found = session.get_one(DatasetRow, row.id)
        assert found.status == ResourceStatus.REJECTED
        assert (found.problem or {})["code"] == "artifact-corrupted"
