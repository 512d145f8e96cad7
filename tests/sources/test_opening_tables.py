"""Parquet tables that are listed and stay where they lie are the data set that they would be as a copy."""

import io
import zlib
from pathlib import Path

import pytest

from app.errors import InputFailure
from app.imaging.table_rows import TableRows
from app.registries.folder_place import FolderPlace
from app.registries.listed import Listed
from app.sources.contents import Contents
from tests.datasets.image_tables import CLASSES, IMAGE, hugging, images, written
from tests.datasets.packing import picture
from tests.sources.listings import fetch_due, fetched, found, objects_of, put, taken, told, without_look_alikes
from worker.intake import opening
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

FILES = Path(__file__).parents[1] / "datasets" / "files"


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
