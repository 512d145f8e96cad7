"""A shard's rows, micro-batch by micro-batch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from app.imaging.pictures import Decoder
from app.settings import Settings
from worker.child.table_inputs import with_tables
from worker.engine.ahead import one_ahead
from worker.engine.first_look import FirstLooks
from worker.engine.plan import AuditPlan, BatchOutcome
from worker.engine.rows import batch_rows, without_scores
from worker.engine.sample_reader import ArchiveLocation, DecodedBatch, SampleReader
from worker.machine.device import pick_device
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.jobs import ShardJob
from worker.wire.replies import Progress, Reply


class _Looked(NamedTuple):
    """``samples`` many, from the job's number ``first`` on; ``scored`` waits for their passes."""

    first: int
    samples: int
    scored: Callable[[], BatchOutcome]


def run_shard_job(
    job: ShardJob, settings: Settings, inputs: Inputs, models: ModelCache, decoders: Sequence[Decoder] = ()
) -> Iterator[tuple[Reply, bytes]]:
    """Every row with its maps; a progress after the models are loaded and after every batch. Raises AuditFailure."""
    plan = AuditPlan.load(job, inputs, models, pick_device(settings.device))
    contents = with_tables(inputs, job.archive_digest, job.tables, job.samples)
    yield Progress(), b""
    first_looks = FirstLooks(job, settings)
    location = ArchiveLocation(contents, job.archive_digest, settings, first_looks)
    with SampleReader(location, plan.input_specs, plan.make_ahead, decoders) as reader:
        looks = _looks(plan, reader.batches(job.samples, plan.protocol.micro_batch))
        for rows in _rows(plan, looks, first_looks):
            yield from rows


def _looks(plan: AuditPlan, batches: Iterator[DecodedBatch]) -> Iterator[_Looked]:
    done = 0
    for batch in batches:
        yield _Looked(done, len(batch.samples), plan.look(batch, done))
        done += len(batch.samples)


def _rows(plan: AuditPlan, looks: Iterator[_Looked], first_looks: FirstLooks) -> Iterator[list[tuple[Reply, bytes]]]:
    """Of each batch. Beside a device the host scores one while the passes of the next are begun."""

    def rows(looked: _Looked) -> list[tuple[Reply, bytes]]:
        done = looked.first + looked.samples
        made = batch_rows(plan.protocols, looked.scored(), looked.first)
        made = (without_scores(*row) if first_looks.is_unreadable(row[0].number) else row for row in made)
        found = ((facts, b"") for facts in first_looks.found(range(looked.first, done)))
        return [*made, *found, (Progress(done=done), b"")]

    if plan.device.type == "cpu":
        yield from map(rows, looks)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="score") as pool:
        yield from one_ahead(pool, rows, looks)
