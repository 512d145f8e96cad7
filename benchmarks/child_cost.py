"""What it costs a shard that its models run in a child process, against the same code called here."""

import os
import statistics
from collections import deque
from functools import partial

from sqlalchemy import select

from app.db.session import make_engine, transaction
from app.db.tables import DEFAULT_TENANT, AuditRow
from app.settings import Settings
from app.storage.blobs import BlobStore
from benchmarks.table import Row, Section
from benchmarks.timing import side_by_side
from worker.child.inputs import JobInputs
from worker.child.shard_job import run_shard_job
from worker.runtime.model_cache import ModelCache
from worker.shard_request import shard_job
from worker.shard_store import read_inputs, read_samples
from worker.supervision.children import Acquaintance, Children
from worker.supervision.inputs import opened_inputs
from worker.wire.jobs import ShardJob

SAMPLES = (1, 16)


class Bench:
    """The same jobs by two ways, over the files of a running service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._blobs = BlobStore.from_settings(settings)
        self._models = ModelCache()
        self.children = Children(settings)

    def here(self, job: ShardJob) -> None:
        with opened_inputs(self._blobs, job) as descriptors:
            inputs = JobInputs(job.inputs, descriptors)
            deque(run_shard_job(job, self._settings, inputs, self._models), maxlen=0)

    def there(self, job: ShardJob) -> None:
        acquaintance = Acquaintance(DEFAULT_TENANT, frozenset(model.digest for model in job.models))
        with self.children.warm(acquaintance) as child:
            deque(child.converse(job, self._blobs), maxlen=0)

    def job(self, samples: int) -> ShardJob:
        """The first samples of the service's newest audit."""
        engine = make_engine(self._settings.database_url)
        with transaction(engine) as session:
            newest = session.scalars(select(AuditRow.id).order_by(AuditRow.id.desc()).limit(1)).one()
            inputs = read_inputs(session, newest)
            job = shard_job(inputs, read_samples(session, inputs.audit, 0, samples))
        engine.dispose()
        return job


def child_cost(settings: Settings, rounds: int) -> Section:
    """Without the database: a job in, rows out."""
    bench = Bench(settings)
    try:
        rows = [_row(bench, samples, rounds) for samples in SAMPLES]
    finally:
        bench.children.close()
    method = (
        f"The same job by the child and by the same code in the calling process, models loaded in both; {rounds} "
        f"interleaved rounds after a warm-up, medians. Load at the end: {os.getloadavg()[0]:.1f}."
    )
    return Section("What the child process costs a shard", method, rows)


def _row(bench: Bench, samples: int, rounds: int) -> Row:
    job = bench.job(samples)
    found = side_by_side({"here": partial(bench.here, job), "child": partial(bench.there, job)}, rounds)
    pairs = zip(found["child"].seconds, found["here"].seconds, strict=True)
    more = statistics.median(child - here for child, here in pairs)
    here = found["here"].median
    note = f"{here * 1e3:.0f} ms here, spread {found['here'].spread:.0%}"
    return Row(f"{samples} samples", f"{more * 1e3:+.0f} ms ({more / here:+.1%})", note=note)
