"""The listing of a folder of a bucket into rows: how it goes on after it was broken off, and where it ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import Engine, delete, func, select

import app.registries.s3_store as module
import app.sources.objects as objects_of_listings
from app.access.quotas import used_bytes
from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.leases import MOST_UNEXPLAINED
from app.db.session import clock, transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetObjectRow, DatasetRow
from app.domain.vocabulary import ResourceStatus
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from app.queue import TaskQueue
from app.registries.s3_store import S3Store
from app.settings import Settings
from app.sources.objects import QUOTA_STEP_BYTES, ROW_BYTES
from app.storage.blobs import BlobStore
from tests.factories import dataset_row
from tests.storage.stores import Bucket, make_bucket

NAMES = [f"{label}/{number}.png" for label in ("cat", "dog") for number in range(5)]
NOBODY: frozenset[Any] = frozenset()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        for name in [*NAMES, "labels.csv"]:
            client.put_object(Bucket=made.name, Key=f"images/{name}", Body=name.encode())
        client.put_object(Bucket=made.name, Key="tables/train.parquet", Body=b"PAR1", ACL="public-read")
        yield made


def importer(engine: Engine, broker_url: str, folder: Path, **limits: int) -> Importer[Any, Any]:
    networks = frozenset({"127.0.0.1/32"})
    few: Any = {"max_entries": 100, **limits}
    settings = Settings(blob_store=str(folder), broker_url=broker_url, allowed_networks=networks, **few)
    blobs = BlobStore.from_settings(settings)
    return Importer(DATASETS, engine, Vault(None), blobs, TaskQueue(broker_url), settings)


def register(engine: Engine, bucket: Bucket, folder: str) -> DatasetRow:
    uri, connection = f"s3://{bucket.name}/{folder}", new_id()
    dataset = dataset_row(status=ResourceStatus.FETCHING, source={"uri": uri, "by_reference": True})
    with transaction(engine) as session:
        session.add(ConnectionRow(id=connection, name="b", kind="s3", url=bucket.endpoint, auth_kind="none"))
        session.add(dataset)
        session.flush()
        session.add(DatasetImportRow(dataset_id=dataset.id, connection_id=connection, uri=uri, by_reference=True))
    return dataset


def told(engine: Engine, dataset: DatasetRow) -> tuple[DatasetRow, DatasetImportRow, list[DatasetObjectRow]]:
    query = select(DatasetObjectRow).where(DatasetObjectRow.dataset_id == dataset.id).order_by(DatasetObjectRow.number)
    with transaction(engine) as session:
        row, imported = session.get_one(DatasetRow, dataset.id), session.get_one(DatasetImportRow, dataset.id)
        return row, imported, list(session.scalars(query))


def test_a_listing_goes_on_where_it_was_broken_off(
    engine: Engine, broker_url: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 4)
    ask, asked = S3Store.list_page, list[str]()

    def dies_at_the_third(registry: S3Store, bucket: str, **named: str) -> Any:
        asked.append(named.get("start_after", ""))
        if len(asked) == 3:
            raise SystemExit("as a process that is killed")
        return ask(registry, bucket, **named)

    monkeypatch.setattr(S3Store, "list_page", dies_at_the_third)
    dataset, work = register(engine, bucket, "images"), importer(engine, broker_url, tmp_path)
    first = work.claim(NOBODY)
    assert first is not None
    with pytest.raises(SystemExit):
        work.work(first)
    row, imported, objects = told(engine, dataset)
    assert (row.status, imported.listed, len(objects), imported.cursor) == ("fetching", 8, 8, "images/dog/2.png")
    with transaction(engine) as session:
        session.get_one(DatasetImportRow, dataset.id).next_at = func.now()  # as if its lease had run out
    second = work.claim(NOBODY)
    assert second is not None
    work.work(second)
    assert asked[2:] == ["images/dog/2.png", "images/dog/2.png"]
    row, imported, objects = told(engine, dataset)
    assert (row.status, row.stored_digest, imported.next_at) == ("validating", f"listing:{dataset.id}", None)
    assert [(one.number, one.key) for one in objects] == list(enumerate([*NAMES, "labels.csv"]))
    assert all(one.pin.startswith('etag:"') and one.size == len(one.key) for one in objects)
    # Whoever lost it meanwhile writes nothing more.
    work.work(first)
    assert told(engine, dataset)[1].attempts == 2


def test_more_than_there_may_be(engine: Engine, broker_url: str, bucket: Bucket, tmp_path: Path) -> None:
    dataset, work = register(engine, bucket, "images"), importer(engine, broker_url, tmp_path, max_entries=10)
    claim = work.claim(NOBODY)
    assert claim is not None
    work.work(claim)
    row, _, objects = told(engine, dataset)
    assert (row.status, row.problem and row.problem["code"], objects) == ("rejected", "answer-too-large", [])


@pytest.mark.parametrize(("step", "files"), [(4_000, 8), (QUOTA_STEP_BYTES, 11)])
def test_what_is_listed_counts_against_the_quota(
    step: int,
    files: int,
    engine: Engine,
    broker_url: str,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its rows, at the end and on the way; what is refused counts no longer, and what is deleted neither."""
    monkeypatch.setattr(module, "PAGE", 4)
    monkeypatch.setattr(objects_of_listings, "QUOTA_STEP_BYTES", step)
    first, room = register(engine, bucket, "images"), 15_000
    run(importer(engine, broker_url, tmp_path, max_tenant_bytes=room))
    row, imported, objects = told(engine, first)
    names = sum(2 * len(one.key) + len(one.pin) for one in objects)
    assert (row.status, imported.listed_bytes) == ("validating", 11 * ROW_BYTES + names)
    with transaction(engine) as session:
        assert used_bytes(session) == imported.listed_bytes < room
    second = register(engine, bucket, "images")
    run(importer(engine, broker_url, tmp_path, max_tenant_bytes=room))
    row, imported, objects = told(engine, second)
    assert (row.status, row.problem and row.problem["code"]) == ("rejected", "quota-exceeded")
    assert f"{files} files are too many" in (row.problem or {})["detail"]
    assert "delete data sets" in (row.problem or {})["detail"]
    assert (imported.listed, imported.listed_bytes, objects) == (0, 0, [])
    with transaction(engine) as session:
        session.execute(delete(DatasetRow).where(DatasetRow.id == first.id))
        assert used_bytes(session) == 0


def test_an_error_that_nobody_expects_ends_an_import(
    engine: Engine, broker_url: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten in a row, each later than the one before; so does a process that the work itself kills."""
    error: list[BaseException] = [TypeError("a secret"), SystemExit()]

    def broken(*_: object) -> bool:
        raise error[0]

    monkeypatch.setattr(S3Store, "keeps_versions", broken)
    unexpected, work = register(engine, bucket, "images"), importer(engine, broker_url, tmp_path)
    for attempt in range(1, MOST_UNEXPLAINED + 1):
        assert told(engine, unexpected)[0].status == "fetching"
        run(work)
        with transaction(engine) as session:
            due = session.get_one(DatasetImportRow, unexpected.id)
            assert (due.next_at is None) == (attempt == MOST_UNEXPLAINED)
            if due.next_at is not None:
                wait = (due.next_at - clock(session)).total_seconds()
                assert 2**attempt - 2 < wait <= min(2**attempt, 600)
                due.next_at = func.now()
    row, _, _ = told(engine, unexpected)
    assert (row.status, row.problem and row.problem["code"]) == ("rejected", "import-failed")
    detail = (row.problem or {})["detail"]
    assert "10 times" in detail
    assert "TypeError" in detail
    assert "a secret" not in detail
    deadly = register(engine, bucket, "images")
    del error[0]
    for _ in range(MOST_UNEXPLAINED):
        with pytest.raises(SystemExit):
            run(work)
        with transaction(engine) as session:
            session.get_one(DatasetImportRow, deadly.id).next_at = func.now()  # as if its lease had run out
    run(work)
    row, _, _ = told(engine, deadly)
    assert (row.status, row.problem and row.problem["code"]) == ("rejected", "import-failed")
    assert "its process was lost" in (row.problem or {})["detail"]


def run(work: Importer[Any, Any]) -> None:
    """What is due."""
    claim = work.claim(NOBODY)
    assert claim is not None
    work.work(claim)


def test_what_is_not_to_stay_there_is_copied(engine: Engine, broker_url: str, bucket: Bucket, tmp_path: Path) -> None:
    dataset = register(engine, bucket, "tables")
    with transaction(engine) as session:
        session.get_one(DatasetImportRow, dataset.id).by_reference = False
    run(importer(engine, broker_url, tmp_path))
    row, _, objects = told(engine, dataset)
    assert (row.status, row.stored_digest, objects) == ("validating", None, [])
    assert (row.content_digest is not None, row.source and row.source["by_reference"]) == (True, False)
