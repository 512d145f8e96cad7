"""Keeps a shard's lease alive while its child computes."""

import logging
import time

from sqlalchemy.exc import OperationalError

from app.db.session import transaction
from worker.context import WorkerContext
from worker.shards.store import Claim, extend_lease

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class LeaseLost(Exception):
    """Another worker holds the shard now, or its audit has ended: what was computed is thrown away."""


class WorkerStopping(Exception):
    """The process was asked to end: the shard goes back to the queue."""


class Lease:
    """Beats by the clock, not by the batch: a long batch loses no lease and hides no cancelling."""

    def __init__(self, context: WorkerContext, claim: Claim) -> None:
        self._context = context
        self._claim = claim
        self._interval = min(BEAT_SECONDS, context.settings.lease_seconds / 4)
        self._beaten_at = time.monotonic()

    def keep(self, done: int) -> None:
        """Extend the lease and report progress, where it is time. Raises LeaseLost and WorkerStopping."""
        if self._context.stopping.is_set():
            raise WorkerStopping
        now = time.monotonic()
        if now - self._beaten_at < self._interval:
            return
        self._beaten_at = now
        try:
            with transaction(self._context.engine) as session:
                kept = extend_lease(session, self._claim, done, self._context.settings.lease_seconds)
        except OperationalError as error:
            # A database that is away takes nobody's lease; whether this one is still ours shows when it is back.
            logger.warning("shard %s: no heart-beat (%s)", self._claim.shard_id, type(error.orig).__name__)
            return
        if not kept:
            raise LeaseLost
