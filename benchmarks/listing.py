"""Data sets by reference: objects a second while a bucket is listed and indexed, and what that takes of memory.

``python -m benchmarks.listing`` takes 100,000 objects, and 2,000 of moto's own; ``--objects 1000000`` minutes. Both
halves run in this process, one after the other: the listing is the API's, the index the worker's.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine, text

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.migrations import upgrade
from app.db.session import transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetRow
from app.domain.vocabulary import ResourceStatus
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from app.imports.importer import Importer
from app.imports.nouns import DATASETS
from app.settings import Settings
from benchmarks.endless_bucket import key
from benchmarks.memory import added_mebibytes
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

MOTO_OBJECTS = 2_000
SMALL = 5_000
"""What is listed first, so that whatever is made once is there."""
BUCKET = "bucket"


@dataclass(frozen=True)
class Half:
    """Of one data set: seconds, of this process's processor as well, and MiB that it added at its peak."""

    seconds: float
    processor_seconds: float
    mebibytes: float

    def line(self, what: str, objects: int) -> str:
        return (
            f"  {what:<8} {objects / self.seconds:>9,.0f} objects/s ({self.seconds:.1f} s, of this process's processor "
            f"{self.processor_seconds:.1f}), peak memory +{self.mebibytes:.0f} MiB"
        )


@contextmanager
def at_work() -> Iterator[WorkerContext]:
    """A worker's context on servers of its own."""
    with tempfile.TemporaryDirectory(prefix="salience-audit-listing-") as name, ExitStack() as ending:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
        for server in (postgres.child(folder / "postgres.log"), valkey.child(folder / "valkey.log")):
            child = Child(server)
            ending.callback(child.stop)
            child.wait_ready()
        settings = Settings(
            database_url=postgres.url,
            broker_url=valkey.url,
            blob_store=str(folder / "blobs"),
            allowed_networks=frozenset({"127.0.0.1/32"}),
            max_entries=20_000_000,
            device="cpu",
        )
        context = WorkerContext.from_settings(settings, "benchmark")
        ending.callback(context.close)
        upgrade(context.engine)
        yield context


@contextmanager
def endless_bucket(objects: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.endless_bucket", "--objects", str(objects)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


@contextmanager
def moto_bucket(objects: int) -> Iterator[str]:
    """Filled without HTTP: what is measured is the listing."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    for number in range(objects):
        backend.put_object(BUCKET, key(number, objects), b"picture")
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def taken_in(context: WorkerContext, url: str) -> tuple[Half, Half, DatasetRow]:
    """List, then index."""
    dataset_id = _register(context.engine, url)
    importer = Importer(DATASETS, context.engine, Vault(None), context.blobs, context.queue, context.settings)
    claim = importer.claim(frozenset())
    assert claim is not None
    listing = _measured(lambda: importer.work(claim))
    index = _measured(lambda: index_dataset(context, dataset_id))
    with transaction(context.engine) as session:
        return listing, index, session.get_one(DatasetRow, dataset_id)


def _register(engine: Engine, url: str) -> UUID:
    dataset_id, connection_id, uri = new_id(), new_id(), f"s3://{BUCKET}/images"
    with transaction(engine) as session:
        session.add(ConnectionRow(id=connection_id, name="b", kind="s3", url=url, auth_kind="none"))
        session.add(DatasetRow(id=dataset_id, name="many", status=ResourceStatus.FETCHING, source={"uri": uri}))
        session.flush()
        named = {"dataset_id": dataset_id, "connection_id": connection_id}
        session.add(DatasetImportRow(**named, uri=uri, by_reference=True))
    return dataset_id


def _measured(run: Callable[[], Any]) -> Half:
    began, spent = time.monotonic(), time.process_time()
    added = added_mebibytes(run)
    return Half(time.monotonic() - began, time.process_time() - spent, added)


def _sizes(engine: Engine) -> str:
    """Of the tables and their indexes."""
    with engine.connect() as connection:
        sizes = [
            f"{table} {connection.scalar(text('SELECT pg_total_relation_size(:table)'), {'table': table}) or 0:,} bytes"
            for table in ("dataset_objects", "samples")
        ]
    return ", ".join(sizes)


def report(context: WorkerContext, what: str, url: str, objects: int) -> None:
    """Of one bucket."""
    listing, index, dataset = taken_in(context, url)
    assert (dataset.status, dataset.sample_count) == (ResourceStatus.READY, objects), dataset.problem
    print(f"{what}: {objects:,} objects, {len(dataset.labels)} labels")
    print(listing.line("listing", objects))
    print(index.line("index", objects))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    objects = parser.parse_args().objects
    with at_work() as context:
        with endless_bucket(SMALL) as url:
            report(context, "to warm up", url, SMALL)
        with moto_bucket(MOTO_OBJECTS) as url:
            report(context, "moto", url, MOTO_OBJECTS)
        with endless_bucket(objects) as url:
            report(context, "endless bucket", url, objects)
        print(f"  {_sizes(context.engine)}")


if __name__ == "__main__":
    main()
