"""A worker tells the database that it lives, and how full its GPU is; ``/metrics`` reads it there."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import transaction
from app.db.tables import WorkerRow
from worker.context import WorkerContext
from worker.runtime.device import pick_device
from worker.runtime.gpu_memory import read_gpu_memory

logger = logging.getLogger(__name__)

REPORT_SECONDS = 15.0
FORGET_HOURS = 1


class WorkerReporter:
    """A thread that reports until it is stopped. A worker that was killed is forgotten by the next that starts."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._device = pick_device(context.settings.device).type
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-reports", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes the report back."""
        self._stopped.set()
        self._thread.join(timeout=10)
        self._try(self._forget_self)

    def _run(self) -> None:
        self._try(self._forget_lost)
        self._try(self._report)
        while not self._stopped.wait(REPORT_SECONDS):
            self._try(self._report)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except SQLAlchemyError as error:
            logger.warning("a report waits for the database: %s", type(error).__name__)

    def _report(self) -> None:
        gpu = read_gpu_memory(self._context.settings.cuda_visible_devices) if self._device == "cuda" else None
        values = {
            "device": self._device,
            "gpu": gpu and gpu.name,
            "gpu_memory_used_bytes": gpu and gpu.used_bytes,
            "gpu_memory_total_bytes": gpu and gpu.total_bytes,
            "seen_at": func.clock_timestamp(),
        }
        new = insert(WorkerRow).values(name=self._context.name, **values)
        with transaction(self._context.engine) as session:
            session.execute(new.on_conflict_do_update(index_elements=[WorkerRow.name], set_=values))

    def _forget_lost(self) -> None:
        long_ago = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, FORGET_HOURS)
        with transaction(self._context.engine) as session:
            session.execute(delete(WorkerRow).where(WorkerRow.seen_at < long_ago))

    def _forget_self(self) -> None:
        with transaction(self._context.engine) as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == self._context.name))
