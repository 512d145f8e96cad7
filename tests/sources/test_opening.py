"""Tars that are listed and stay where they lie are the data set that they would be as a copy; texts beside images are
read before any transaction.
"""

import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import DatasetImportRow, DatasetObjectRow, DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus
from app.errors import InputFailure
from app.imaging.table_rows import TableRows
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from app.registries.folder import FolderPlace
from app.registries.listed import Listed
from app.settings import Settings
from app.sources.objects import ROW_BYTES, add_objects
from app.sources.reading import Contents
from tests.children import BorrowedChildren
from tests.datasets.hostile_archives import make_tar, picture
from tests.datasets.image_tables import CLASSES, IMAGE, hugging, images, written
from tests.factories import dataset_row
from worker.intake import kept_texts, opening, opening_log
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext
from worker.supervision.forkserver import Forkserver

Taken = tuple[DatasetRow, list[SampleRow]]
FILES = Path(__file__).parents[1] / "datasets" / "files"
TOLD = ("name", "position", "split", "label", "source", "groups")


@pytest.fixture
def context(database_url: str, broker_url: str, tmp_path: Path) -> Iterator[WorkerContext]:
    settings = Settings(
        database_url=database_url,
        broker_url=broker_url,
        blob_store=str(tmp_path / "blobs"),
        import_roots=frozenset({str(tmp_path)}),
        device="cpu",
    )
    context = WorkerContext.from_settings(settings, "test")
    yield context
    context.close()


@pytest.fixture
def with_children(context: WorkerContext, forkserver: Forkserver) -> Iterator[WorkerContext]:
    """As tables need them."""
    children = BorrowedChildren(context.settings, forkserver)
    yield replace(context, children=children)
    children.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(10**18, 10**18))


def fetched(context: WorkerContext, uri: str, *, by_reference: bool = True, **options: Any) -> DatasetRow:
    source = {"uri": uri, "by_reference": by_reference}
    dataset = dataset_row(status=ResourceStatus.FETCHING, source=source, **options)
    with transaction(context.engine) as session:
        session.add(dataset)
        session.flush()
        session.add(DatasetImportRow(dataset_id=dataset.id, **source))
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


def shard(*samples: dict[str, Any]) -> bytes:
    """As ``webdataset.TarWriter`` writes it."""
    import webdataset

    file = io.BytesIO()
    with webdataset.TarWriter(file) as writer:
        for sample in samples:
            writer.write(sample)
    return file.getvalue()


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


def objects_of(context: WorkerContext, dataset: DatasetRow) -> list[DatasetObjectRow]:
    query = select(DatasetObjectRow).where(DatasetObjectRow.dataset_id == dataset.id).order_by(DatasetObjectRow.number)
    with transaction(context.engine) as session:
        return list(session.scalars(query))


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


@pytest.mark.parametrize(
    ("files", "columns"),
    [
        ({f"{number}.cls": str(number % 2).encode() for number in range(7)}, {"beside": "webdataset"}),
        ({f"{number}.txt": f"{number % 2} 0.5 0.5 1 1".encode() for number in range(7)}, {"beside": "yolo"}),
        ({"metadata.csv": b"file_name,label\n" + b"".join(b"%d.png,%d\n" % (n, n % 2) for n in range(7))}, None),
        (
            {"my.csv": b"file_name,label\n" + b"".join(b"%d.png,%d\n" % (n, n % 2) for n in range(7))},
            {"file": "my.csv"},
        ),
    ],
)
def test_texts_are_fetched_before_the_transaction(
    files: dict[str, bytes],
    columns: dict[str, str] | None,
    context: WorkerContext,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In batches that are kept: whoever goes on fetches none again, and the index asks no source."""
    monkeypatch.setattr(kept_texts, "AT_ONCE", 2)
    put(folder, {f"{number}.png": picture(10 * number) for number in range(7)} | files)
    dataset = fetched(context, f"file://{folder}", columns=columns)
    read, asked = FolderPlace.read, list[str]()

    def noting(place: FolderPlace, listed: Listed, offset: int, length: int) -> bytes:
        asked.append(listed.key)
        return read(place, listed, offset, length)

    def refusing(*_: object) -> bytes:
        raise InputFailure("asked", "A transaction waits for a source.")

    monkeypatch.setattr(FolderPlace, "read", noting)
    monkeypatch.setattr(Contents, "read_range", refusing)
    index_dataset(context, dataset.id)
    row, samples = found(context, dataset)
    assert (row.status, row.problem) == ("ready", None)
    assert [one.label for one in samples] == [str(number % 2) for number in range(7)]
    assert sorted(asked) == sorted(files)
    with transaction(context.engine) as session:
        kept = select(func.count()).where(DatasetObjectRow.content.is_not(None))
        assert session.scalar(kept) == 0


@pytest.fixture
def tables(folder: Path) -> Path:
    """One of the library `datasets`, and others of several row groups."""
    content = (FILES / "train-00000-of-00001.parquet").read_bytes()
    put(folder, {"README.md": b"# Pets", "data/test-00000-of-00001.parquet": content})
    shades = [5 * number for number in range(40)]
    rows = {"image": images(*shades), "label": [number % 2 for number in range(40)], "camera": ["A"] * 40}
    table = written(hugging(rows, image=IMAGE, label=CLASSES), row_group_size=7, compression="zstd")
    put(folder, {"data/train-00000-of-00001.parquet": table})
    return folder


def test_tables_are_the_data_set_that_they_would_be_as_a_copy(
    with_children: WorkerContext, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every image a row of its table, whose bytes a sum of the row tells from all others. Whoever reads many
    together opens each table once."""
    context, uri = with_children, f"file://{tables}"
    (dataset, samples), (copy, copied) = taken(context, uri), taken(context, uri, by_reference=False)
    assert (dataset.status, dataset.problem, dataset.content_digest) == ("ready", None, None)
    assert told(samples) == told(copied)
    assert (len(samples), dataset.splits, dataset.labels) == (43, ["test", "train"], ["cat", "dog"])
    assert dataset.notes == without_look_alikes(copy.notes)
    same = ("columns", "skipped", "sample_count")
    assert {name: getattr(dataset, name) for name in same} == {name: getattr(copy, name) for name in same}
    contents = Contents(context.engine, context.blobs, context.settings)
    for ours, theirs in zip(samples[::5], copied[::5], strict=True):
        data = context.blobs.read_range(copy.stored_digest or "", theirs.offset, theirs.size)
        assert contents.read_range(dataset.stored_digest or "", ours.offset, ours.size) == data
        assert ours.crc32 == zlib.crc32(data)
    read, opened = FolderPlace.read, list[str]()

    def noting(place: FolderPlace, listed: Listed, offset: int, length: int) -> bytes:
        opened.append(listed.key)
        return read(place, listed, offset, length)

    monkeypatch.setattr(FolderPlace, "read", noting)
    with contents.kept() as kept:
        together = [kept.read_range(dataset.stored_digest or "", one.offset, one.size) for one in samples]
    assert [zlib.crc32(data) for data in together] == [one.crc32 for one in samples]
    assert sorted(opened) == sorted(f"data/{path.name}" for path in tables.glob("data/*.parquet") for _ in range(2))


def test_a_row_group_is_read_once_for_rows_in_their_order(tables: Path) -> None:
    path = tables / "data/train-00000-of-00001.parquet"
    read: list[int] = []

    class Noting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(-1 if size is None else size)
            read.append(len(data))
            return data

    wanted = [3, 5, 4, 20, 21, 39]
    with Noting(path) as file:
        rows = TableRows(file, set(wanted))
        assert [rows.take(row) for row in wanted] == [picture(5 * row) for row in wanted]
        assert sum(read) < 1.5 * path.stat().st_size
        for none in (-1, 40):
            with pytest.raises(InputFailure, match="no such row"):
                rows.take(none)


def test_tables_of_large_row_groups_are_copied(
    with_children: WorkerContext, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which the data set's notes say."""
    monkeypatch.setattr(opening, "MOST_GROUP_BYTES", 100)
    dataset = fetched(with_children, f"file://{tables}")
    index_dataset(with_children, dataset.id)
    assert (found(with_children, dataset)[0].status, objects_of(with_children, dataset)) == ("fetching", [])
    fetch_due(with_children)
    index_dataset(with_children, dataset.id)
    row, samples = found(with_children, dataset)
    assert (row.status, row.problem, len(samples)) == ("ready", None, 43)
    assert (row.source or {})["by_reference"] is False
    assert [note for note in row.notes if "copied" in note and "row groups of up to" in note]
