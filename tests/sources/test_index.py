"""From a listing to a data set that audits can take: labels, splits, positions and the digest, with no image opened."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.vault import Vault
from app.db.references import all_digests
from app.db.session import transaction
from app.db.tables import DatasetImportRow, DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from app.settings import Settings
from app.uploads.content import digests_of
from tests.factories import dataset_row
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

FILES = {
    "train/cat/b.png": b"12345",
    "train/cat/a.png": b"1",
    "train/dog/c.PNG": b"123",
    "test/cat/d.jpg": b"1234",
    "test/notes.txt": b"none",
    ".git/config": b"none",
}


@pytest.fixture
def context(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[WorkerContext]:
    settings = Settings(
        database_url=database_url,
        broker_url=broker_url,
        blob_store=str(tmp_path / "blobs"),
        import_roots=frozenset({str(tmp_path)}),
        max_entry_bytes=1000,
    )
    context = WorkerContext.from_settings(settings, "test")
    yield context
    context.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(10**18, 10**18))
    return folder


def taken(context: WorkerContext, folder: Path) -> tuple[DatasetRow, list[SampleRow]]:
    """Listed and indexed; a second time changes nothing."""
    uri = f"file://{folder}"
    dataset = dataset_row(status=ResourceStatus.FETCHING, source={"uri": uri, "by_reference": True})
    with transaction(context.engine) as session:
        session.add(dataset)
        session.flush()
        session.add(DatasetImportRow(dataset_id=dataset.id, uri=uri, by_reference=True))
    importer = Importer(DATASETS, context.engine, Vault(None), context.blobs, context.queue, context.settings)
    claim = importer.claim(frozenset())
    assert claim is not None
    importer.work(claim)
    for _ in range(2):
        index_dataset(context, dataset.id)
    with transaction(context.engine) as session:
        query = select(SampleRow).where(SampleRow.dataset_id == dataset.id).order_by(SampleRow.name.collate("C"))
        return session.get_one(DatasetRow, dataset.id), list(session.scalars(query))


def test_folders_say_labels_and_splits(context: WorkerContext, folder: Path) -> None:
    dataset, samples = taken(context, folder)
    assert (dataset.status, dataset.problem) == ("ready", None)
    assert [(one.name, one.position, one.status, one.split, one.label, one.problem) for one in samples] == [
        ("test/cat/d.jpg", 0, "unexamined", "test", "cat", None),
        ("train/cat/a.png", 1, "unexamined", "train", "cat", None),
        ("train/cat/b.png", 2, "unexamined", "train", "cat", None),
        ("train/dog/c.PNG", 3, "unexamined", "train", "dog", None),
    ]
    assert (dataset.labels, dataset.splits, dataset.sample_count) == (["cat", "dog"], ["test", "train"], 4)
    assert dataset.skipped == {"not-an-image": 1, "hidden": 1}


def test_a_listing_is_no_blob(context: WorkerContext, folder: Path) -> None:
    """Whoever saves every blob, or deletes those that nobody refers to, finds none of that name."""
    dataset, _ = taken(context, folder)
    assert dataset.stored_digest == f"listing:{dataset.id}"
    assert digests_of(dataset) == set()
    with transaction(context.engine) as session:
        assert all_digests(session) == set()


def test_a_manifest_says_which_and_what(context: WorkerContext, folder: Path) -> None:
    (folder / "manifest.csv").write_text(
        "path,label,split,cluster,camera\n"
        "train/cat/a.png,tabby,train,one,x\n"
        "test/notes.txt,odd,test,two,y\n"
        "train/gone.png,tabby,train,one,x\n"
    )
    dataset, samples = taken(context, folder)
    assert (dataset.status, dataset.problem) == ("ready", None)
    told = [(one.name, one.position, one.status, one.label, one.cluster, one.groups) for one in samples]
    assert told == [
        ("test/notes.txt", 0, "unexamined", "odd", "two", {"camera": "y"}),
        ("train/cat/a.png", 1, "unexamined", "tabby", "one", {"camera": "x"}),
        ("train/gone.png", None, "unreadable", "tabby", "one", {"camera": "x"}),
    ]
    assert (dataset.sample_count, dataset.unreadable_count) == (2, 1)
    assert dataset.skipped == {"not-in-manifest": 3, "hidden": 1}


def test_the_digest_is_over_names_labels_and_pins(context: WorkerContext, folder: Path) -> None:
    first, _ = taken(context, folder)
    again, _ = taken(context, folder)
    assert first.digest is not None
    assert first.digest.startswith("listing:sha256:")
    assert again.digest == first.digest
    os.utime(folder / "train/cat/a.png", ns=(10**18, 10**18 + 1))
    assert taken(context, folder)[0].digest != first.digest


def test_one_that_is_too_large_is_that_ones_problem(context: WorkerContext, folder: Path) -> None:
    (folder / "train/cat/a.png").write_bytes(bytes(1001))
    dataset, samples = taken(context, folder)
    assert (dataset.status, dataset.sample_count, dataset.unreadable_count) == ("ready", 3, 1)
    assert [(one.name, one.problem and one.problem["code"]) for one in samples if one.position is None] == [
        ("train/cat/a.png", "sample-too-large")
    ]


def test_a_folder_without_images(context: WorkerContext, folder: Path) -> None:
    dataset, samples = taken(context, folder / ".git")
    assert (dataset.status, dataset.problem and dataset.problem["code"], samples) == ("rejected", "dataset-empty", [])


def test_a_name_that_no_data_set_may_have(context: WorkerContext, folder: Path) -> None:
    (folder / "train/cat/a\u202eb.png").write_bytes(b"1")
    dataset, samples = taken(context, folder)
    assert (dataset.problem and dataset.problem["code"], samples) == ("archive-unsafe-path", [])
