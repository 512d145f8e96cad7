"""An import whose process is killed in the middle of its second file: the source serves nothing twice."""

import io
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import Engine

from app.db.session import transaction
from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from app.imaging.containers import BLOCK
from tests.counting_proxy import CountingProxy, counting
from tests.factories import dataset_row, model_row
from tests.registries.importing import attempt, connected, importer
from tests.registries.recorded_answers import MLMODEL
from tests.registries.recorded_mlflow import recorded_mlflow
from tests.storage.stores import make_bucket
from tests.waiting import until

SIZE = 2_000_000
SHARDS = {f"model-0000{n}-of-00002.safetensors": random.Random(n).randbytes(SIZE) for n in (1, 2)}
FILES = {"model.safetensors.index.json": b"{}", **SHARDS}
TOLD, OVERHEAD = 40_000, 100_000
"""Bytes of headers and listings, of the first attempt and of two; what a process that is killed has not read is among
them."""


@dataclass(frozen=True)
class Killed:
    """What is fetched by a process that is killed, and then by this one."""

    engine: Engine
    broker_url: str
    folder: Path

    def run(self, noun: str, proxy: CountingProxy, twice: int = 0) -> None:
        """Counts whatever the source serves; of ``twice`` bytes no less is expected."""
        proxy.hold_at = SIZE + SIZE // 2 + TOLD
        database = self.engine.url.render_as_string(hide_password=False)
        asked = [sys.executable, "-m", "tests.registries.importing", noun, database, self.broker_url, str(self.folder)]
        with subprocess.Popen(asked) as process:
            try:
                # It has taken what was sent, to the last byte but for headers.
                until(lambda: process.poll() is not None or (proxy.is_holding() and self.kept() > SIZE + SIZE // 2))
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL
        proxy.hold_at = None
        attempt(importer(noun, self.engine, self.broker_url, str(self.folder)))
        assert 0 < proxy.served - 2 * SIZE - twice < OVERHEAD
        assert self.kept() == 0

    def kept(self) -> int:
        return sum(one.stat().st_size for one in self.folder.glob("partials/*"))

    def blob(self, row: ModelRow | DatasetRow) -> bytes:
        with transaction(self.engine) as session:
            found = session.get_one(type(row), row.id)
            assert found.content_digest is not None, found.problem
        blobs = importer("models", self.engine, self.broker_url, str(self.folder)).blobs
        return b"".join(blobs.read(found.content_digest))


@pytest.fixture
def killed(engine: Engine, broker_url: str, tmp_path: Path) -> Killed:
    return Killed(engine, broker_url, tmp_path)


@contextmanager
def bucket_with(folder: str, files: dict[str, bytes]) -> Iterator[tuple[CountingProxy, str]]:
    """The way to it, and its name."""
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as bucket, counting(bucket.endpoint) as proxy:
        client: Any = boto3.client("s3", endpoint_url=bucket.endpoint, region_name="us-east-1")
        for name, content in files.items():
            client.put_object(Bucket=bucket.name, Key=f"{folder}/{name}", Body=content, ACL="public-read")
        yield proxy, bucket.name


def test_a_model_of_a_bucket(killed: Killed) -> None:
    row = model_row(status=ResourceStatus.FETCHING)
    with bucket_with("faces/v1", FILES) as (proxy, bucket):
        connected(killed.engine, "s3", proxy.url, f"s3://{bucket}/faces/v1", row)
        killed.run("models", proxy)
    assert_is_zip_of(killed.blob(row))


def test_a_data_set_of_a_bucket_that_is_copied(killed: Killed) -> None:
    """Of small files as of large ones."""
    row = dataset_row(status=ResourceStatus.FETCHING)
    few = SIZE // 20
    small = {f"{number:02}.png": SHARDS[min(SHARDS)][number * few :][:few] for number in range(20)}
    files = small | {"99.png": SHARDS[max(SHARDS)]}
    with bucket_with("images", files) as (proxy, bucket):
        connected(killed.engine, "s3", proxy.url, f"s3://{bucket}/images", row)
        killed.run("datasets", proxy)
    packed, offset = killed.blob(row), 0
    for _, content in sorted(files.items()):
        assert packed[offset + BLOCK :][: len(content)] == content
        offset += BLOCK + -(-len(content) // BLOCK) * BLOCK


@pytest.mark.parametrize("sends_parts", [True, False])
def test_a_model_of_mlflow(*, sends_parts: bool, killed: Killed) -> None:
    """By whole files from a server that fetches artifacts from elsewhere, and so never knows its own ETags again."""
    row = model_row(status=ResourceStatus.FETCHING)
    with recorded_mlflow() as server, counting(server.url) as proxy:
        files = {"MLmodel": MLMODEL} | {f"model/{name}": content for name, content in FILES.items()}
        server.versions["faces", "1"] = {"files": files, "tags": {}, "created_ms": 1}
        server.sends_parts = sends_parts
        connected(killed.engine, "mlflow", proxy.url, "models:/faces/1", row)
        killed.run("models", proxy, twice=0 if sends_parts else SIZE // 2)
        assert sum(path.endswith(min(SHARDS)) for path, _ in server.asked) == 1
    assert_is_zip_of(killed.blob(row))


def assert_is_zip_of(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
