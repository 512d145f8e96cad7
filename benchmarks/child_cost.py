"""`python -m benchmarks.child_cost`: what it costs a shard that its models run in a child process.

The same job, without the database, by the child and by the same code called here, with the models loaded in both. The
small job does next to nothing, so that what is left is the way there and back.
"""

import os
import statistics
import sys
import tempfile
from collections import deque
from functools import partial
from pathlib import Path

from sqlalchemy import select

from app.db.session import make_engine, transaction
from app.db.tables import DEFAULT_TENANT, AuditRow
from app.demo.service import running_service
from app.domain.protocol import ProtocolRequest
from app.server_file import settings_of
from app.settings import Settings
from app.storage.blobs import BlobStore
from benchmarks.audits import AFRESH, PROTOCOL, Service
from benchmarks.machine import describe
from benchmarks.subjects import archive
from benchmarks.table import Row, Section
from benchmarks.timing import side_by_side
from salience_audit import Client
from worker.child.inputs import JobInputs
from worker.child.shard_job import run_shard_job
from worker.machine.device import keep_heap, use_threads
from worker.shards.request import shard_job
from worker.shards.store import read_inputs, read_samples
from worker.supervision.children import Children, PoolKey
from worker.supervision.inputs import opened_inputs
from worker.supervision.reading_clock import ReadingClock
from worker.weights.cache import ModelCache
from worker.wire.jobs import ShardJob

SAMPLES = 16
NETWORK = "resnet18"


class Bench:
    """The same jobs by two ways, over the files of a running service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._blobs = BlobStore.from_settings(settings)
        self._models = ModelCache()
        self.children = Children(settings)

    def here(self, job: ShardJob) -> None:
        with opened_inputs(self._blobs, job, ReadingClock()) as descriptors:
            inputs = JobInputs(job.inputs, descriptors)
            deque(run_shard_job(job, self._settings, inputs, self._models), maxlen=0)

    def there(self, job: ShardJob) -> None:
        key = PoolKey(DEFAULT_TENANT, frozenset(model.digest for model in job.models))
        with self.children.warm(key) as child:
            deque(child.converse(job, self._blobs), maxlen=0)

    def job(self, samples: int) -> ShardJob:
        """The first samples of the service's newest audit."""
        engine = make_engine(self._settings.database_url)
        with transaction(engine) as session:
            newest = session.scalars(select(AuditRow.id).order_by(AuditRow.id.desc()).limit(1)).one()
            inputs = read_inputs(session, newest)
            job = shard_job(session, inputs, read_samples(session, inputs.audit, 0, samples))
        engine.dispose()
        return job

    def row(self, what: str, job: ShardJob, rounds: int) -> Row:
        found = side_by_side({"here": partial(self.here, job), "child": partial(self.there, job)}, rounds)
        pairs = zip(found["child"].seconds, found["here"].seconds, strict=True)
        more, here = statistics.median(child - here for child, here in pairs), found["here"]
        note = f"{rounds} rounds, {here.median * 1e3:.0f} ms here, spread {here.spread:.0%}"
        return Row(what, f"{more * 1e3:+.0f} ms ({more / here.median:+.1%})", note=note)


def child_cost(settings: Settings) -> Section:
    """Interleaved rounds after a warm-up, medians of the differences."""
    bench = Bench(settings)
    try:
        whole = bench.job(SAMPLES)
        light = ProtocolRequest.model_validate({"measures": {"entropy": {}}, "micro_batch": 2}).resolve()
        small = bench.job(2).model_copy(update={"protocol": light.without("stability")})
        rows = [
            bench.row("2 samples, entropy alone", small, 40),
            bench.row(f"{SAMPLES} samples, {', '.join(PROTOCOL['measures'])}", whole, 3),
        ]
    finally:
        bench.children.close()
    method = f"{NETWORK}; median of the differences. Load at the end: {os.getloadavg()[0]:.1f}."
    return Section("What the child process costs a shard", method, rows)


def main() -> None:
    use_threads(0)
    keep_heap()
    with tempfile.TemporaryDirectory() as name, running_service(Path(name), AFRESH) as (url, key):
        client = Client(url, key)
        dataset = client.push_dataset(archive(SAMPLES), name="photographs")
        service = Service(client, dataset["id"], SAMPLES)
        service.audit(service.upload(NETWORK), 1)
        sys.stdout.write(f"Measured on {describe()}\n\n{child_cost(settings_of(Path(name))).to_markdown()}")


if __name__ == "__main__":
    main()
