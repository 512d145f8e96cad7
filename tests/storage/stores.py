"""Both kinds of blob store: a folder, and a real S3 server (moto's) with a bucket of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from app.settings import Settings
from app.storage.blobs import BlobStore

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@contextmanager
def make_store(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobStore]:
    """``kind`` is ``folder`` or ``s3``."""
    if kind == "folder":
        yield BlobStore.from_settings(Settings(blob_store=str(folder)))
        return
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        endpoint, bucket = f"http://127.0.0.1:{port}", f"audit-{uuid4().hex}"
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=bucket)
        yield BlobStore.from_settings(Settings(blob_store=f"s3://{bucket}/blobs", s3_endpoint=endpoint))
    finally:
        server.stop()
