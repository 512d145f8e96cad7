"""Claim, let the child compute, store: the imperative shell."""

import logging
import time

from sqlalchemy.exc import OperationalError

from app.db.session import transaction
from app.errors import AuditFailure, TransientFailure
from app.observability.tracing import span
from app.queue import TaskName
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import Lease, LeaseLost, WorkerStopping
from worker.shards.clean_maps import remember_clean_maps
from worker.shards.computing import Computation, Computed
from worker.shards.setbacks import Setbacks
from worker.shards.store import Claim, all_shards_done, claim_next_shard, save_scores
from worker.shards.trace import shard_context
from worker.supervision.endings import ChildDied, DeviceFailed, OutOfGpuMemory

logger = logging.getLogger(__name__)

SAVE_PAUSE_SECONDS = 0.5


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
    computation, setbacks = Computation(context, claim), Setbacks(context, claim)
    try:
        with span("compute"):
            computed = computation.compute()
        _finish(context, claim, computed, computation.lease)
    except LeaseLost:
        logger.info("shard %s: taken over or cancelled", claim.shard_id)
    except WorkerStopping:
        logger.info("shard %s: given back, since this worker ends", claim.shard_id)
        setbacks.give_back(counted=False)
    except OutOfGpuMemory as shortage:
        if context.children.end_warm():
            # Another audit's models may have held what was missing: once more, alone on the device.
            logger.warning("shard %s: out of GPU memory beside other models, tried again alone", claim.shard_id)
            setbacks.give_back(counted=True)
        else:
            setbacks.replan(shortage)
    except DeviceFailed as fault:
        # First the shard, which another worker may take meanwhile; this one sees what it has left.
        setbacks.survive_fault(fault, computation.at_work, computation.micro_batch)
        context.children.device_works()
    except ChildDied as death:
        setbacks.survive(death, computation.at_work)
    except (TransientFailure, OperationalError) as failure:
        if setbacks.wait(failure):
            raise
    except AuditFailure as failure:
        setbacks.fail(failure)


def _finish(context: WorkerContext, claim: Claim, computed: Computed, lease: Lease) -> None:
    """Store, and ask for the reduce where this shard was the last."""
    with span("store"):
        while not _saved(context, claim, computed):
            # A full database takes no rows but heart-beats; one that is away lends the shard to nobody else.
            time.sleep(SAVE_PAUSE_SECONDS)
            lease.keep()
    with transaction(context.engine) as session:
        finished = all_shards_done(session, claim.audit_id)
    if finished:
        context.queue.send(TaskName.REDUCE_AUDIT, claim.audit_id)


def _saved(context: WorkerContext, claim: Claim, computed: Computed) -> bool:
    """False where the database is away or full, however long: the fence tells whose shard it is then.

    Raises LeaseLost.
    """
    try:
        with transaction(context.engine) as session:
            saved = save_scores(session, claim, computed.rows)
            if saved:
                remember_clean_maps(session, claim, computed.clean_keys)
                computed.first_findings.save(session)
    except OperationalError as error:
        logger.warning("shard %s: scores not stored yet (%s)", claim.shard_id, type(error.orig).__name__)
        return False
    if not saved:
        raise LeaseLost
    return True
