"""Keeps the lease of what was claimed alive while a child computes."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.session import transaction
from worker.lifecycle.context import WorkerContext

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class LeaseLost(Exception):
    """Another worker holds it now, or nobody wants it any more: what was computed is thrown away."""


class WorkerStopping(Exception):
    """The process was asked to end: what was claimed goes back to the queue."""


class Lease:
    """Beats by the clock, not by the batch: a long batch loses no lease and hides no cancelling.

    ``extend`` makes it last so many seconds from now on, and says whether it is still ours; ``of`` stands in the log.
    """

    def __init__(self, context: WorkerContext, extend: Callable[[Session, float], bool], *, of: str) -> None:
        self._context = context
        self._extend = extend
        self._of = of
        self._interval = min(BEAT_SECONDS, context.settings.lease_seconds / 4)
        self._beaten_at = time.monotonic()

    def keep(self) -> None:
        """Extend the lease, where it is time. Raises LeaseLost and WorkerStopping."""
        if self._context.stopping.is_set():
            raise WorkerStopping
        now = time.monotonic()
        if now - self._beaten_at < self._interval:
            return
        self._beaten_at = now
        try:
            with transaction(self._context.engine) as session:
                kept = self._extend(session, self._context.settings.lease_seconds)
        except OperationalError as error:
            # A database that is away takes nobody's lease; whether this one is still ours shows when it is back.
            logger.warning("%s: no heart-beat (%s)", self._of, type(error.orig).__name__)
            return
        if not kept:
            raise LeaseLost
