"""Blobs in a folder and in S3 (moto's server): the same behaviour, nothing left of what is not committed."""

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import obstore
import pytest

from app.embedded.ports import free_port
from app.errors import TooLarge, TransientFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.storage.stores import age_blobs, make_store

CONTENT = bytes(range(256)) * 40_000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    with make_store(request.param, tmp_path, monkeypatch) as store:
        yield store


def put(store: BlobStore, content: bytes) -> str:
    with store.writer(len(content)) as writer:
        for start in range(0, len(content), 1_000_000):
            writer.write(content[start : start + 1_000_000])
        blob = writer.commit()
    assert blob.size == len(content)
    return blob.digest


def test_round_trip(store: BlobStore) -> None:
    assert put(store, CONTENT) == put(store, CONTENT) == DIGEST
    assert store.exists(DIGEST)
    assert store.size(DIGEST) == len(CONTENT)
    assert store.read_range(DIGEST, 5, 10) == CONTENT[5:15]
    assert store.read_range(DIGEST, len(CONTENT) - 3, 10) == CONTENT[-3:]
    assert b"".join(store.read(DIGEST)) == CONTENT
    with store.opened(DIGEST) as file:
        assert file.read() == CONTENT
    store.ping()
    store.delete(DIGEST)
    store.delete(DIGEST)
    assert not store.exists(DIGEST)
    with pytest.raises(FileNotFoundError):
        store.read_range(DIGEST, 0, 1)


def test_too_large_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(TooLarge), store.writer(100) as writer:
        writer.write(b"x" * 101)
    with store.writer(100) as writer:
        writer.write(b"never committed")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_reading_past_the_end(store: BlobStore) -> None:
    digest = put(store, b"short")
    assert store.read_range(digest, 5, 10) == b""
    assert store.read_range(digest, 50, 10) == b""
    empty = put(store, b"")
    assert store.read_range(empty, 0, 10) == b""


def test_what_a_killed_process_left_is_swept(store: BlobStore, tmp_path: Path) -> None:
    obstore.put(store._store, "quarantine/left", b"half")
    kept = put(store, b"kept")
    assert store.sweep() == 0
    age_blobs(store, timedelta(hours=2))
    assert store.sweep() == 1
    assert store.exists(kept)
    with pytest.raises(FileNotFoundError):
        obstore.head(store._store, "quarantine/left")


def test_a_store_that_is_away_is_soon_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "test")
    store = BlobStore.from_settings(
        Settings(blob_store="s3://audit/blobs", s3_endpoint=f"http://127.0.0.1:{free_port()}")
    )
    started = time.monotonic()
    with pytest.raises(TransientFailure, match="storage-unavailable"):
        store.ping()
    assert time.monotonic() - started < 60
