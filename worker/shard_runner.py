"""Claim, compute, store: the imperative shell around the engine."""

import logging
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from app.db.session import transaction
from app.db.tables import SampleRow
from app.errors import AuditFailure, InputFailure, TransientFailure
from app.observability.tracing import span
from app.queue import TaskName
from worker.audit_plan import AuditPlan
from worker.context import WorkerContext
from worker.runtime.sample_reader import ArchiveLocation, SampleReader
from worker.shard_context import shard_context
from worker.shard_rows import batch_rows
from worker.shard_store import (
    Claim,
    Refusal,
    all_shards_done,
    claim_shard,
    extend_lease,
    fail_audit,
    read_inputs,
    read_samples,
    release_shard,
    save_scores,
)

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker holds the shard now, or its audit has ended: what was computed is thrown away."""


def run_shard(context: WorkerContext, shard_id: UUID) -> Refusal | None:
    """Run one shard once; safe to call twice, at the same time or after a crash.

    Raises TransientFailure where the caller should try again.
    """
    asked_at_ns = time.time_ns()
    with transaction(context.engine) as session:
        claim = claim_shard(session, shard_id, context.name, context.settings.lease_seconds)
    if isinstance(claim, Refusal):
        return claim
    with shard_context(context.engine, claim, asked_at_ns):
        _attempt(context, claim)
    return None


def _attempt(context: WorkerContext, claim: Claim) -> None:
    try:
        _run_claim(context, claim)
    except LeaseLost:
        logger.info("shard %s: taken over or cancelled", claim.shard_id)
    except TransientFailure:
        with transaction(context.engine) as session:
            release_shard(session, claim)
        raise
    except AuditFailure as failure:
        with transaction(context.engine) as session:
            fail_audit(session, claim.audit_id, failure.to_problem())


def _run_claim(context: WorkerContext, claim: Claim) -> None:
    if claim.attempt > context.settings.max_shard_attempts:
        detail = f"Samples {claim.start} to {claim.stop} ended their worker {claim.attempt - 1} times."
        raise InputFailure("model-crashed-worker", detail)
    with transaction(context.engine) as session:
        inputs = read_inputs(session, claim.audit_id)
        samples = read_samples(session, inputs.audit, claim.start, claim.stop)
    with span("compute"):
        rows = list(_compute(context, claim, AuditPlan.load(context, inputs), samples))
    with span("store"), transaction(context.engine) as session:
        if not save_scores(session, claim, rows):
            raise LeaseLost
    with transaction(context.engine) as session:
        finished = all_shards_done(session, claim.audit_id)
    if finished:
        context.queue.send(TaskName.REDUCE_AUDIT, claim.audit_id)


def _compute(
    context: WorkerContext, claim: Claim, plan: AuditPlan, samples: list[SampleRow]
) -> Iterator[dict[str, Any]]:
    """Rows of every model and sample, micro-batch by micro-batch, under a lease that is kept alive."""
    ordinal = claim.start
    archive = ArchiveLocation(context.blobs, plan.archive_digest, context.settings)
    with SampleReader(archive, plan.input_specs) as reader:
        for batch in reader.batches(samples, plan.protocol.micro_batch):
            looks = plan.look_at(batch)
            yield from batch_rows(plan.protocol, looks, batch.samples, (claim.audit_id, ordinal))
            ordinal += len(batch.samples)
            _keep_lease(context, claim, ordinal - claim.start)


def _keep_lease(context: WorkerContext, claim: Claim, done: int) -> None:
    with transaction(context.engine) as session:
        kept = extend_lease(session, claim, done, context.settings.lease_seconds)
    if not kept:
        raise LeaseLost
