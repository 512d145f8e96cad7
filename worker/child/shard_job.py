"""A shard's rows, micro-batch by micro-batch."""

from collections.abc import Iterator

from app.settings import Settings
from worker.engine.plan import AuditPlan
from worker.engine.rows import batch_rows
from worker.engine.sample_reader import ArchiveLocation, SampleReader
from worker.machine.device import pick_device
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.jobs import ShardJob
from worker.wire.replies import Progress, Reply


def run_shard_job(
    job: ShardJob, settings: Settings, inputs: Inputs, models: ModelCache
) -> Iterator[tuple[Reply, bytes]]:
    """Every row with its maps; a progress after the models are loaded and after every batch. Raises AuditFailure."""
    plan = AuditPlan.load(job, inputs, models, pick_device(settings.device))
    yield Progress(), b""
    done = 0
    with SampleReader(ArchiveLocation(inputs, job.archive_digest, settings), plan.input_specs) as reader:
        for batch in reader.batches(job.samples, plan.protocol.micro_batch):
            yield from batch_rows(plan.protocol, plan.audit_batch(batch, done), done)
            done += len(batch.samples)
            yield Progress(done=done), b""
