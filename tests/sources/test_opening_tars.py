"""Tars that are listed and stay where they lie are the data set that they would be as a copy."""

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db.session import transaction
from app.db.tables import DatasetImportRow, DatasetObjectRow
from app.domain.vocabulary import ResourceStatus
from app.registries.folder_place import FolderPlace
from app.registries.listed import Listed
from app.sources.contents import Contents
from app.sources.objects import ROW_BYTES, add_objects
from tests.datasets.packing import make_tar, picture, shard
from tests.sources.listings import fetched, found, objects_of, put, taken, told, without_look_alikes
from worker.intake import opening_log
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext


def sample(number: int, **beside: Any) -> dict[str, Any]:
    return {"__key__": f"{number:06}", "png": picture(10 * number + 10), **beside}


@pytest.fixture
def webdataset(folder: Path) -> Path:
    put(
        folder,
        {
            "README.md": b"# Faces",
            "notes.txt": b"none",
            "faces-train-000000.tar": shard(sample(0, cls=1), sample(1, json={"label": "0"})),
            "faces-train-000001.tar": shard(sample(2, cls=1)),
            "faces-test-000000.tar": shard(sample(3, cls=0)),
        },
    )
    return folder


@pytest.mark.needs(module="webdataset", get="make install")
def test_shards_are_the_data_set_that_they_would_be_as_a_copy(context: WorkerContext, webdataset: Path) -> None:
    """With every image at its place in its shard, and the same found without an image being kept."""
    uri = f"file://{webdataset}"
    (dataset, samples), (copy, copied) = taken(context, uri), taken(context, uri, by_reference=False)
    assert (dataset.status, dataset.problem, dataset.content_digest) == ("ready", None, None)
    assert told(samples) == told(copied)
    assert [(one.name, one.split, one.label) for one in samples] == [
        ("test/000003.png", "test", "0"),
        ("train/000000.png", "train", "1"),
        ("train/000001.png", "train", None),
        ("train/000002.png", "train", "1"),
    ]
    assert dataset.notes == without_look_alikes(copy.notes)
    same = ("labels", "splits", "columns", "skipped", "sample_count")
    assert {name: getattr(dataset, name) for name in same} == {name: getattr(copy, name) for name in same}
    assert {one.status for one in samples} == {"unexamined"}
    contents = Contents(context.engine, context.blobs, context.settings)
    for ours, theirs in zip(samples, copied, strict=True):
        data = context.blobs.read_range(copy.stored_digest or "", theirs.offset, theirs.size)
        assert contents.read_range(dataset.stored_digest or "", ours.offset, ours.size) == data
    with transaction(context.engine) as session:
        imported = session.get_one(DatasetImportRow, dataset.id)
        rows = session.scalars(select(DatasetObjectRow).where(DatasetObjectRow.dataset_id == dataset.id)).all()
        assert {one.content for one in rows} == {None}
        names = sum(2 * len(one.key) + len(one.pin) for one in rows)
        assert (imported.listed, imported.listed_bytes) == (len(rows), len(rows) * ROW_BYTES + names)
    # Other shards under the same names are another data set.
    before = dataset.digest
    assert taken(context, uri)[0].digest == before
    os.utime(webdataset / "faces-test-000000.tar", ns=(10**18, 10**18 + 1))
    assert taken(context, uri)[0].digest != before


def test_a_range_of_shards(context: WorkerContext, folder: Path) -> None:
    put(
        folder,
        {f"pets-train-{number:06}.tar": make_tar({f"{number}.png": picture(10 * number)}) for number in (1, 2, 3)},
    )
    dataset, samples = taken(context, f"file://{folder}/pets-train-{{000001..000002}}.tar")
    assert (dataset.status, dataset.splits) == ("ready", ["train"])
    assert [one.name for one in samples] == ["train/1.png", "train/2.png"]
    data = Contents(context.engine, context.blobs, context.settings).read_range(
        dataset.stored_digest or "", samples[1].offset, samples[1].size
    )
    assert data == picture(20)
    rejected = fetched(context, f"file://{folder}/pets-train-{{000002..000004}}.tar")
    row, _ = found(context, rejected)
    assert (row.status, (row.problem or {})["code"]) == ("rejected", "registry-not-found")
    assert "no pets-train-000004.tar" in (row.problem or {})["detail"]


def test_whoever_goes_on_opens_no_shard_twice(
    context: WorkerContext, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the shard in which a worker was killed what it noted is forgotten."""
    monkeypatch.setattr(opening_log, "BATCH", 1)
    put(
        folder,
        {f"{number}.tar": make_tar({f"{number}{name}.png": picture(40) for name in "abc"}) for number in (1, 2, 3)},
    )
    dataset = fetched(context, f"file://{folder}")
    order = [one.key for one in objects_of(context, dataset)]
    noted = list[str]()

    def dies_in_the_second(session: Any, row: Any, objects: Any, settings: Any) -> None:
        noted.extend(one.key for one in objects)
        add_objects(session, row, objects, settings)
        if len(noted) == 5:
            raise SystemExit("as a process that is killed")

    monkeypatch.setattr(opening_log, "add_objects", dies_in_the_second)
    with pytest.raises(SystemExit):
        index_dataset(context, dataset.id)
    read, opened = FolderPlace.read, set[str]()

    def noting(place: FolderPlace, listed: Listed, offset: int, length: int) -> bytes:
        opened.add(listed.key)
        return read(place, listed, offset, length)

    monkeypatch.setattr(FolderPlace, "read", noting)
    index_dataset(context, dataset.id)
    row, samples = found(context, dataset)
    assert (row.status, row.problem) == ("ready", None)
    assert [one.name for one in samples] == [f"{number}{name}.png" for number in (1, 2, 3) for name in "abc"]
    assert opened == set(order[1:])
    assert len(objects_of(context, dataset)) == 12


@pytest.mark.parametrize(
    ("shards", "code"),
    [
        ([make_tar({"a.png": picture(1)})[:700], make_tar({"b.png": picture(2)})], "archive-malformed"),
        ([make_tar({"a.png": picture(1)}), make_tar({"a.png": picture(2)})], "archive-duplicate-entry"),
        ([make_tar({"../a.png": picture(1)})], "archive-unsafe-path"),
        ([make_tar({"1.tar": make_tar({"a.png": picture(1)})})], "dataset-empty"),
    ],
)
def test_shards_that_are_refused(shards: list[bytes], code: str, context: WorkerContext, folder: Path) -> None:
    """As copies of them are; nothing of them is left."""
    put(folder, {f"{number}.tar": content for number, content in enumerate(shards)})
    dataset, samples = taken(context, f"file://{folder}")
    assert (dataset.status, (dataset.problem or {}).get("code"), samples) == (ResourceStatus.REJECTED, code, [])


def test_a_shard_that_changes_before_it_is_opened(context: WorkerContext, folder: Path) -> None:
    put(folder, {"1.tar": make_tar({"a.png": picture(1)})})
    dataset = fetched(context, f"file://{folder}")
    os.utime(folder / "1.tar", ns=(10**18, 10**18 + 1))
    index_dataset(context, dataset.id)
    row, _ = found(context, dataset)
    assert (row.status, (row.problem or {})["code"]) == ("rejected", "artifact-corrupted")
    assert "1.tar" in (row.problem or {})["detail"]
    assert objects_of(context, dataset) == []
