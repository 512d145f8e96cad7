"""Both kinds of blob store: a folder, and a real S3 server (moto's) with a bucket of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from app.settings import Settings
from app.storage.blobs import BlobStore

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1"}


@dataclass(frozen=True)
class Bucket:
    """Of a running S3 server."""

    endpoint: str
    name: str

    def settings(self) -> Settings:
        return Settings(blob_store=f"s3://{self.name}/blobs", s3_endpoint=self.endpoint)


@contextmanager
def make_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """The credentials are in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        bucket = Bucket(f"http://127.0.0.1:{port}", f"audit-{uuid4().hex}")
        client = boto3.client("s3", endpoint_url=bucket.endpoint, region_name="us-east-1")
        client.create_bucket(Bucket=bucket.name)
        client.close()
        yield bucket
    finally:
        server.stop()


@contextmanager
def make_store(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    """``kind`` is ``folder`` or ``s3``."""
    if kind == "folder":
        yield BlobStore.from_settings(Settings(blob_store=str(folder)))
        return
    with make_bucket(monkeypatch) as bucket:
        yield BlobStore.from_settings(bucket.settings())


def age_blobs(store: BlobStore, by: timedelta) -> None:
    """Make all that it holds older; no test has to wait, or to hurry."""
    if store._folder is not None:
        for file in (file for file in store._folder.rglob("*") if file.is_file()):
            written = file.stat().st_mtime - by.total_seconds()
            os.utime(file, (written, written))
        return
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[store._store.config["bucket"]]
    for key in bucket.keys.values():
        key.last_modified -= by
