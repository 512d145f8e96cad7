"""Uploads and indexes archives as the worker does."""

from typing import Any

from sqlalchemy import select

from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus
from tests.stored import put
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

Indexed = tuple[DatasetRow, list[SampleRow]]


def index(context: WorkerContext, content: bytes, **options: Any) -> Indexed:
    """Upload and index, twice: the second time changes nothing."""
    digest = put(context.blobs, content)
    row = DatasetRow(id=new_id(), name="d", labels=[], sources=[], notes=[], extra={}, **options)
    row.status, row.content_digest = ResourceStatus.VALIDATING, digest
    with transaction(context.engine) as session:
        session.add(row)
    for _ in range(2):
        index_dataset(context, row.id)
    with transaction(context.engine) as session:
        query = select(SampleRow).where(SampleRow.dataset_id == row.id).order_by(SampleRow.name)
        return session.get_one(DatasetRow, row.id), list(session.scalars(query))
