"""Data sets by reference: objects a second while a bucket is listed and indexed, and what that takes of memory.

``python -m benchmarks.listing`` takes 100,000 objects of a server that makes its keys up as it is asked;
``--objects 1000000`` takes minutes. ``--server moto`` has moto answer, which takes ever longer for a page the more
objects there are. Both halves run in this process, one after the other: the listing is the API's, the index the
worker's; the bucket's server is another process.
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
from benchmarks.memory import added_mebibytes
from worker.intake.datasets import index_dataset
from worker.lifecycle.context import WorkerContext

SERVERS = ("endless", "moto")
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
def bucket(server: str, objects: int) -> Iterator[str]:
    """Its address."""
    command = [sys.executable, "-m", f"benchmarks.{server}_bucket", "--objects", str(objects)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def report(context: WorkerContext, what: str, url: str, objects: int) -> None:
    """Of one bucket: list, then index."""
    print(f"{what}: {objects:,} objects", flush=True)
    dataset_id = _register(context.engine, url)
    importer = Importer(DATASETS, context.engine, Vault(None), context.blobs, context.queue, context.settings)
    print(_measured(lambda: _list(importer, dataset_id)).line("listing", objects), flush=True)
    print(_measured(lambda: index_dataset(context, dataset_id)).line("index", objects), flush=True)
    dataset = _row(context.engine, dataset_id)
    assert (dataset.status, dataset.sample_count) == (ResourceStatus.READY, objects), dataset.problem


def _list(importer: Importer[Any, Any], dataset_id: UUID) -> None:
    """As the API does: a listing that broke off, since a page came too late, goes on behind the last one."""
    while _row(importer.engine, dataset_id).status == ResourceStatus.FETCHING:
        claim = importer.claim(frozenset())
        if claim is None:
            time.sleep(0.1)
        else:
            importer.work(claim)


def _row(engine: Engine, dataset_id: UUID) -> DatasetRow:
    with transaction(engine) as session:
        return session.get_one(DatasetRow, dataset_id)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--server", choices=SERVERS, default="endless")
    asked = parser.parse_args()
    with at_work() as context:
        with bucket(asked.server, SMALL) as url:
            report(context, "to warm up", url, SMALL)
        with bucket(asked.server, asked.objects) as url:
            report(context, f"{asked.server} bucket", url, asked.objects)
        print(f"  {_sizes(context.engine)}")


if __name__ == "__main__":
    main()
