"""Folders that are registered, fetched and indexed, without a service."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetObjectRow, DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from tests.factories import dataset_row
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

Taken = tuple[DatasetRow, list[SampleRow]]
TOLD = ("name", "position", "split", "label", "source", "groups")


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(10**18, 10**18))


def fetched(
    context: WorkerContext,
    uri: str,
    *,
    by_reference: bool = True,
    connection: ConnectionRow | None = None,
    **options: Any,
) -> DatasetRow:
    source = {"uri": uri, "by_reference": by_reference}
    dataset = dataset_row(status=ResourceStatus.FETCHING, source=source, **options)
    with transaction(context.engine) as session:
        session.add_all([dataset] if connection is None else [dataset, connection])
        session.flush()
        over = None if connection is None else connection.id
        session.add(DatasetImportRow(dataset_id=dataset.id, connection_id=over, **source))
    fetch_due(context)
    return dataset


def fetch_due(context: WorkerContext) -> None:
    importer = Importer(DATASETS, context.engine, Vault(None), context.blobs, context.queue, context.settings)
    claim = importer.claim(frozenset())
    assert claim is not None
    importer.work(claim)


def found(context: WorkerContext, dataset: DatasetRow) -> Taken:
    with transaction(context.engine) as session:
        query = select(SampleRow).where(SampleRow.dataset_id == dataset.id).order_by(SampleRow.name.collate("C"))
        return session.get_one(DatasetRow, dataset.id), list(session.scalars(query))


def taken(context: WorkerContext, uri: str, **options: Any) -> Taken:
    """Indexed twice: the second time changes nothing."""
    dataset = fetched(context, uri, **options)
    for _ in range(2):
        index_dataset(context, dataset.id)
    return found(context, dataset)


def told(samples: list[SampleRow]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(one, name) for name in TOLD) for one in samples]


def without_look_alikes(notes: list[str]) -> list[str]:
    """In listings nobody looks for them."""
    return [note for note in notes if "look like" not in note]


def objects_of(context: WorkerContext, dataset: DatasetRow) -> list[DatasetObjectRow]:
    query = select(DatasetObjectRow).where(DatasetObjectRow.dataset_id == dataset.id).order_by(DatasetObjectRow.number)
    with transaction(context.engine) as session:
        return list(session.scalars(query))
