"""Texts beside listed images are read before any transaction, each once."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.db.session import transaction
from app.db.tables import DatasetObjectRow
from app.errors import InputFailure
from app.registries.folder_place import FolderPlace
from app.registries.listed import Listed
from app.sources.contents import Contents
from tests.datasets.packing import picture
from tests.sources.listings import fetched, found, put
from worker.intake import kept_texts
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext


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
