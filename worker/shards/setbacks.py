"""What becomes of a shard that could not be computed: it goes back, its audit is planned anew, or fails."""

import logging
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from app.db.session import transaction
from app.errors import AuditFailure, InputFailure, MeasureFailure, TransientFailure, Unavailable
from worker.lifecycle.context import WorkerContext
from worker.shards.counts import count_model_crash
from worker.shards.device_faults import CODE, note_device_fault
from worker.shards.replanning import replan_audit
from worker.shards.store import Claim, fail_audit, release_shard
from worker.shards.waiting import wait_or_end
from worker.supervision.endings import ChildDied, DeviceFailed, End, OutOfGpuMemory

logger = logging.getLogger(__name__)

CRASHED = "model-crashed-worker"
# How a child's end is told, and how many attempts it takes to believe that the next one would end so too.
_VERDICTS = {
    End.CRASHED: (CRASHED, None),
    End.TOO_SLOW: ("audit-timeout", 2),
    End.TOO_MUCH_MEMORY: ("audit-resource-limit", 1),
    End.TOO_MUCH_SPACE: ("audit-resource-limit", 1),
}


class Setbacks:
    """Of one claimed shard; ``at_work`` are the audit's samples that were in hand."""

    def __init__(self, context: WorkerContext, claim: Claim) -> None:
        self._context = context
        self._claim = claim

    def wait(self, failure: TransientFailure | OperationalError) -> bool:
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

    def survive(self, death: ChildDied, at_work: range) -> None:
        """Another try in another child, where that may end otherwise; the last one fails the audit."""
        samples = f"Samples {at_work.start} to {at_work.stop}"
        what = f"{samples} ended the process of their models in attempt {self._claim.attempt}."
        logger.warning("shard %s: %s %s", self._claim.shard_id, what, death.detail)
        with transaction(self._context.engine) as session:
            count_model_crash(session, self._claim.shard_id)
        code, enough = _VERDICTS[death.end]
        most = self._context.settings.max_shard_attempts
        if self._claim.attempt < min(most, enough or most):
            self.give_back(counted=True)
        else:
            self.fail(InputFailure(code, f"{what} {death.detail}"))

    def survive_fault(self, fault: DeviceFailed, at_work: range, micro_batch: int) -> None:
        """Another try, by whoever comes first, which counts as no attempt; the same fault again fails the audit."""
        what = f"The device failed at samples {at_work.start} to {at_work.stop}"
        logger.warning("shard %s: %s: %s", self._claim.shard_id, what, fault.detail)
        with transaction(self._context.engine) as session:
            final = note_device_fault(session, self._claim, at_work.start, micro_batch)
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

    def _wake(self, shards: int) -> None:
        try:
            self._context.queue.wake_for_shards(self._context.device_class, shards)
        except Unavailable:
            logger.warning(
                "audit %s: nobody is told, since the broker is away; the reconciler will", self._claim.audit_id
            )
