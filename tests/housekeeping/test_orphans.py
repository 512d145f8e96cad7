"""Orphaned blobs and half uploads, against real Postgres and both kinds of store, beside uploads at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import obstore
import pytest
from sqlalchemy import Engine, update

from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT, DatasetRow
from app.domain.vocabulary import ResourceStatus
from app.embedded.postgres import EmbeddedPostgres
from app.errors import TransientFailure
from app.housekeeping.housekeeper import Housekeeper
from app.housekeeping.orphans import sweep_orphans
from app.settings import Settings
from app.storage.blobs import BlobStore
from app.storage.writing import StoredBlob
from app.uploads.content import accept, taking_over
from tests.factories import dataset_row
from tests.storage.stores import age_blobs, make_store

GRACE = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    with make_store(request.param, tmp_path, monkeypatch) as store:
        yield store


def put(store: BlobStore, content: bytes) -> StoredBlob:
    with store.writer(len(content)) as writer:
        writer.write(content)
        return writer.commit()


def register(engine: Engine, **values: object) -> UUID:
    row_id = new_id()
    with transaction(engine) as session:
        session.add(dataset_row(id=row_id, **values))
    return row_id


def test_only_what_nothing_refers_to_and_is_old(engine: Engine, store: BlobStore) -> None:
    content, stored, orphan, other = (put(store, text) for text in (b"content", b"stored", b"orphan", b"other"))
    register(engine, content_digest=content.digest, stored_digest=stored.digest, status=ResourceStatus.READY)
    obstore.put(store._store, "blobs/sha256/ab/notes.txt", b"somebody's")
    assert sweep_orphans(engine, store, GRACE) == 0
    age_blobs(store, DAY)
    young = put(store, b"young")
    again = put(store, b"other")
    assert again == other
    assert sweep_orphans(engine, store, GRACE) == 1
    there = {blob: store.exists(blob.digest) for blob in (content, stored, young, other, orphan)}
    assert there == {content: True, stored: True, young: True, other: True, orphan: False}
    assert obstore.head(store._store, "blobs/sha256/ab/notes.txt")["size"] == 10
    age_blobs(store, GRACE / 2)
    assert sweep_orphans(engine, store, GRACE) == 0


def test_many(engine: Engine, store: BlobStore) -> None:
    blobs = [put(store, str(number).encode()) for number in range(120)]
    for blob in blobs[::3]:
        register(engine, content_digest=blob.digest, status=ResourceStatus.READY)
    age_blobs(store, DAY)
    assert sweep_orphans(engine, store, GRACE) == 80
    assert [store.exists(blob.digest) for blob in blobs] == [number % 3 == 0 for number in range(120)]


def test_the_store_of_another_database(
    engine: Engine, postgres: EmbeddedPostgres, store: BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    blob = put(store, b"another's")
    age_blobs(store, DAY)
    other = make_engine(postgres.url)
    assert store.is_owned_by("another")
    assert sweep_orphans(other, store, GRACE) == 0
    assert "belongs to another database" in caplog.text
    assert store.exists(blob.digest)
    obstore.delete(store._store, "owner")
    assert sweep_orphans(engine, store, GRACE) == 1
    put(store, b"another's")
    age_blobs(store, DAY)
    assert sweep_orphans(other, store, GRACE) == 0
    other.dispose()


def test_what_a_worker_may_have_written_stays(engine: Engine, store: BlobStore) -> None:
    """It looks into an upload for hours, and commits its own blob at the end."""
    began = datetime.now(UTC) - DAY - GRACE / 2
    row_id = register(engine, content_digest="sha256:0", status=ResourceStatus.VALIDATING, updated_at=began)
    inflated = put(store, b"inflated")
    age_blobs(store, DAY)
    assert sweep_orphans(engine, store, GRACE) == 0
    with transaction(engine) as session:
        session.execute(update(DatasetRow).where(DatasetRow.id == row_id).values(status=ResourceStatus.REJECTED))
    assert sweep_orphans(engine, store, GRACE) == 1
    assert not store.exists(inflated.digest)


def test_uploads_at_the_same_time_lose_nothing(engine: Engine, store: BlobStore) -> None:
    """Old orphans are sent again while they are swept: every row that was committed has its blob."""
    texts = [f"again {number}".encode() for number in range(40)]
    for text in texts:
        put(store, text)
    age_blobs(store, DAY)
    start = threading.Barrier(5)
    kept: list[str] = []

    def upload(own: list[bytes]) -> None:
        start.wait()
        for text in own:
            row_id = register(engine)
            blob = put(store, text)
            try:
                with taking_over(TenantEngine(engine, DEFAULT_TENANT), store, blob) as session:
                    accept(session.get_one(DatasetRow, row_id), blob)
            except TransientFailure:
                continue  # swept between its last byte and its commit: the client was told to send it again
            kept.append(blob.digest)

    with ThreadPoolExecutor(5) as pool:
        uploads = [pool.submit(upload, texts[number::4]) for number in range(4)]
        start.wait()
        for _ in range(20):
            sweep_orphans(engine, store, GRACE)
        for done in uploads:
            done.result()
    assert kept
    assert all(store.exists(digest) for digest in kept)


def test_half_uploads_and_a_whole_round(engine: Engine, database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url, blob_store=str(tmp_path), orphan_grace_seconds=GRACE.seconds)
    store = BlobStore.from_settings(settings)
    obstore.put(store._store, "quarantine/left", b"half")
    orphan = put(store, b"orphan")
    age_blobs(store, DAY)
    housekeeper = Housekeeper(engine, store, settings)
    removed = housekeeper.round()
    assert {name for name, count in removed.items() if count} == {"half uploads", "orphaned blobs"}
    assert removed["half uploads"] == removed["orphaned blobs"] == 1
    assert not store.exists(orphan.digest)
    assert not any(housekeeper.round().values())


def test_one_process_at_a_time_and_a_store_that_is_away(engine: Engine, database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url, blob_store=str(tmp_path / "blobs"))
    store = BlobStore.from_settings(settings)
    housekeeper = Housekeeper(engine, store, settings)
    with housekeeper._alone() as first, housekeeper._alone() as second:
        assert (first, second) == (True, False)
        assert housekeeper.round() == {}
    (tmp_path / "blobs").rmdir()
    (tmp_path / "blobs").write_text("a file where the folder was")
    assert "orphaned blobs" not in housekeeper.round()
    assert "idempotency keys" in housekeeper.round()
