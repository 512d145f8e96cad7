"""A worker tells the database how full its GPU is; ``/metrics`` reads it there."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import transaction
from app.db.tables import GpuReportRow
from worker.context import WorkerContext
from worker.machine.gpu_memory import read_gpu_memory

logger = logging.getLogger(__name__)

REPORT_SECONDS = 15.0
FORGET_HOURS = 1


class GpuReporter:
    """A thread that reports until it is stopped; it ends at once where the worker has no GPU.

    A worker that was killed is forgotten by the next that starts.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu-reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes the report back."""
        self._stopped.set()
        self._thread.join(timeout=10)
        self._try(self._forget_self)

    def _run(self) -> None:
        self._try(self._forget_lost)
        while self._try(self._report) and not self._stopped.wait(REPORT_SECONDS):
            pass

    def _try(self, step: Callable[[], bool]) -> bool:
        """What ``step`` says of going on; a database that is away is asked again."""
        try:
            return step()
        except SQLAlchemyError as error:
            logger.warning("a GPU report waits for the database: %s", type(error).__name__)
            return True

    def _report(self) -> bool:
        settings = self._context.settings
        gpu = None if settings.device == "cpu" else read_gpu_memory(settings.cuda_visible_devices)
        if gpu is None:
            return False
        values = {
            "gpu": gpu.name,
            "memory_used_bytes": gpu.used_bytes,
            "memory_total_bytes": gpu.total_bytes,
            "seen_at": func.clock_timestamp(),
        }
        new = insert(GpuReportRow).values(worker=self._context.name, **values)
        with transaction(self._context.engine) as session:
            session.execute(new.on_conflict_do_update(index_elements=[GpuReportRow.worker], set_=values))
        return True

    def _forget_lost(self) -> bool:
        long_ago = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, FORGET_HOURS)
        with transaction(self._context.engine) as session:
            session.execute(delete(GpuReportRow).where(GpuReportRow.seen_at < long_ago))
        return True

    def _forget_self(self) -> bool:
        with transaction(self._context.engine) as session:
            session.execute(delete(GpuReportRow).where(GpuReportRow.worker == self._context.name))
        return True
