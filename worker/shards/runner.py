"""Claim, let the child compute, store: the imperative shell."""

import logging
import time
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import SampleRow
from app.errors import AuditFailure, InputFailure, MeasureFailure, TransientFailure, Unavailable
from app.observability.tracing import span
from app.queue import TaskName
from app.storage.blobs import BlobStore
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import Lease, LeaseLost, WorkerStopping
from worker.shards.clean_maps import cached_maps, clean_keys, remember_clean_maps
from worker.shards.counts import count_model_crash
from worker.shards.device_faults import CODE, note_device_fault
from worker.shards.first_findings import FirstFindings
from worker.shards.listed_samples import ListedSamples, contents_of
from worker.shards.replanning import replan_audit
from worker.shards.request import Row, RowTable, shard_job
from worker.shards.store import (
    Claim,
    all_shards_done,
    claim_next_shard,
    extend_lease,
    fail_audit,
    read_inputs,
    read_samples,
    release_shard,
    save_scores,
)
from worker.shards.trace import shard_context
from worker.shards.waiting import wait_or_end
from worker.supervision.children import PoolKey
from worker.supervision.endings import ChildDied, DeviceFailed, End, OutOfGpuMemory
from worker.supervision.events import Answer
from worker.wire.jobs import ShardJob
from worker.wire.replies import Progress

logger = logging.getLogger(__name__)

SAVE_PAUSE_SECONDS = 0.5
CRASHED = "model-crashed-worker"
# How a child's end is told, and how many attempts it takes to believe that the next one would end so too.
_VERDICTS = {
    End.CRASHED: (CRASHED, None),
    End.TOO_SLOW: ("audit-timeout", 2),
    End.TOO_MUCH_MEMORY: ("audit-resource-limit", 1),
    End.TOO_MUCH_SPACE: ("audit-resource-limit", 1),
}


def run_next_shard(context: WorkerContext) -> None:
    """Run the shard that is next in fair order, if one waits; to be called once too often changes nothing.

    Raises TransientFailure where the caller should try again.
    """
    asked_at_ns = time.time_ns()
    with transaction(context.engine) as session:
        claim = claim_next_shard(session, context.device_class, context.name, context.settings.lease_seconds)
    if claim is not None:
        with shard_context(context.engine, claim, asked_at_ns):
            run_claimed(context, claim)


def run_claimed(context: WorkerContext, claim: Claim) -> None:
    """Safe to call again after a crash, and while another worker took the shard over."""
    run = _ShardRun(context, claim)
    try:
        with span("compute"):
            rows = run.compute()
        run.finish(rows)
    except LeaseLost:
        logger.info("shard %s: taken over or cancelled", claim.shard_id)
    except WorkerStopping:
        logger.info("shard %s: given back, since this worker ends", claim.shard_id)
        run.give_back(counted=False)
    except OutOfGpuMemory as shortage:
        if context.children.end_warm():
            # Another audit's models may have held what was missing: once more, alone on the device.
            logger.warning("shard %s: out of GPU memory beside other models, tried again alone", claim.shard_id)
            run.give_back(counted=True)
        else:
            run.replan(shortage)
    except DeviceFailed as fault:
        # First the shard, which another worker may take meanwhile; this one sees what it has left.
        run.survive_fault(fault)
        context.children.device_works()
    except ChildDied as death:
        run.survive(death)
    except (TransientFailure, OperationalError) as failure:
        if run.waits(failure):
            raise
    except AuditFailure as failure:
        run.fail(failure)


class _Asked(NamedTuple):
    """A job, its samples, and where their bytes come from."""

    job: ShardJob
    samples: list[SampleRow]
    store: ListedSamples | BlobStore


class _ShardRun:
    """One attempt."""

    def __init__(self, context: WorkerContext, claim: Claim) -> None:
        self._context = context
        self._claim = claim
        self._lease = Lease(context, self._extend, of=f"shard {claim.shard_id}")
        self._done = 0
        self._micro_batch = 0
        self._clean_keys: list[str] = []
        self._first_findings: FirstFindings | None = None

    def compute(self) -> list[Row]:
        """Every row of the shard, under a lease that is kept alive."""
        claim = self._claim
        if claim.attempt > self._context.settings.max_shard_attempts:
            detail = f"Samples {claim.start} to {claim.stop} ended their worker {claim.attempt - 1} times."
            raise InputFailure(CRASHED, detail)
        with transaction(self._context.engine) as session:
            inputs = read_inputs(session, claim.audit_id)
            samples = read_samples(session, inputs.audit, claim.start, claim.stop)
            job = self._with_known_maps(session, inputs.audit.tenant_id, shard_job(session, inputs, samples), samples)
            blobs, settings = self._context.blobs, self._context.settings
            contents = contents_of(session, blobs, settings, job.archive_digest, samples)
        models = frozenset(model.digest for model in job.models)
        with contents as store:
            return self._converse(_Asked(job, samples, store), PoolKey(inputs.audit.tenant_id, models))

    def finish(self, rows: list[Row]) -> None:
        """Store, and ask for the reduce where this shard was the last."""
        with span("store"):
            while not self._saved(rows):
                # A full database takes no rows but heart-beats; one that is away lends the shard to nobody else.
                time.sleep(SAVE_PAUSE_SECONDS)
                self._lease.keep()
        with transaction(self._context.engine) as session:
            finished = all_shards_done(session, self._claim.audit_id)
        if finished:
            self._context.queue.send(TaskName.REDUCE_AUDIT, self._claim.audit_id)

    def waits(self, failure: TransientFailure | OperationalError) -> bool:
        """What comes from outside counts against no shard; where the database hears nothing, the lease runs out.

        False where the audit failed, since its source was away for too long.
        """
        final: InputFailure | None = None
        with suppress(OperationalError), transaction(self._context.engine) as session:
            final = wait_or_end(session, self._claim, failure, self._context.settings)
        if final is not None:
            self.fail(final)
        return final is None

    def give_back(self, *, counted: bool) -> None:
        """To whoever comes first: nobody waits for the lease."""
        with transaction(self._context.engine) as session:
            released = release_shard(session, self._claim, counted=counted)
        if released:
            self._wake(1)

    def survive(self, death: ChildDied) -> None:
        """Another try in another child, where that may end otherwise; the last one fails the audit."""
        start = self._claim.start + self._done
        stop = min(start + self._micro_batch, self._claim.stop)
        what = f"Samples {start} to {stop} ended the process of their models in attempt {self._claim.attempt}."
        logger.warning("shard %s: %s %s", self._claim.shard_id, what, death.detail)
        with transaction(self._context.engine) as session:
            count_model_crash(session, self._claim.shard_id)
        code, enough = _VERDICTS[death.end]
        most = self._context.settings.max_shard_attempts
        if self._claim.attempt < min(most, enough or most):
            self.give_back(counted=True)
        else:
            self.fail(InputFailure(code, f"{what} {death.detail}"))

    def survive_fault(self, fault: DeviceFailed) -> None:
        """Another try, by whoever comes first, which counts as no attempt; the same fault again fails the audit."""
        first = self._claim.start + self._done
        what = f"The device failed at samples {first} to {min(first + self._micro_batch, self._claim.stop)}"
        logger.warning("shard %s: %s: %s", self._claim.shard_id, what, fault.detail)
        with transaction(self._context.engine) as session:
            final = note_device_fault(session, self._claim, first, self._micro_batch)
        if final is None:
            self.give_back(counted=False)
        else:
            self.fail(MeasureFailure(CODE, f"{what}, {final}: {fault.detail}"))

    def replan(self, shortage: OutOfGpuMemory) -> None:
        """The whole audit with half the micro-batch; the second time it fails."""
        try:
            with transaction(self._context.engine) as session:
                unheard = replan_audit(session, self._claim, shortage.detail)
        except AuditFailure as failure:
            self.fail(failure)
            return
        logger.warning("audit %s: out of GPU memory, planned anew", self._claim.audit_id)
        self._wake(unheard)

    def fail(self, failure: AuditFailure) -> None:
        with transaction(self._context.engine) as session:
            if release_shard(session, self._claim, counted=True):
                fail_audit(session, self._claim.audit_id, failure.to_problem())

    def _with_known_maps(self, session: Session, tenant_id: UUID, job: ShardJob, samples: list[SampleRow]) -> ShardJob:
        settings = self._context.settings
        if not settings.reuse_clean_maps:
            return job
        self._clean_keys = clean_keys(job, tenant_id, self._context.device_class, settings.threads)
        cached = cached_maps(session, job, self._clean_keys, samples)
        if cached:
            logger.info("shard %s: %s clean maps are cached", self._claim.shard_id, len(cached))
        return job.model_copy(update={"cached": tuple(cached)})

    def _converse(self, asked: _Asked, pool_key: PoolKey) -> list[Row]:
        job, samples, store = asked
        self._micro_batch = job.protocol.micro_batch
        table = RowTable(self._claim, samples, job)
        self._first_findings = FirstFindings(samples, job, store.digests if isinstance(store, ListedSamples) else {})
        with self._context.children.warm(pool_key) as child:
            for event in child.converse(job, store):
                if isinstance(event, Answer):
                    table.take(event)
                    self._first_findings.take(event)
                    self._done = event.reply.done if isinstance(event.reply, Progress) else self._done
                self._lease.keep()
        return table.finished()

    def _extend(self, session: Session, seconds: float) -> bool:
        """With how far it is."""
        return extend_lease(session, self._claim, self._done, seconds)

    def _saved(self, rows: list[Row]) -> bool:
        """False where the database is away or full, however long: the fence tells whose shard it is then.

        Raises LeaseLost.
        """
        try:
            with transaction(self._context.engine) as session:
                saved = save_scores(session, self._claim, rows)
                if saved:
                    remember_clean_maps(session, self._claim, self._clean_keys)
                    if self._first_findings is not None:
                        self._first_findings.save(session)
        except OperationalError as error:
            logger.warning("shard %s: scores not stored yet (%s)", self._claim.shard_id, type(error.orig).__name__)
            return False
        if not saved:
            raise LeaseLost
        return True

    def _wake(self, shards: int) -> None:
        try:
            self._context.queue.wake_for_shards(self._context.device_class, shards)
        except Unavailable:
            logger.warning(
                "audit %s: nobody is told, since the broker is away; the reconciler will", self._claim.audit_id
            )
