"""A worker tells the database how full its GPU is; ``/metrics`` reads it there."""

import logging

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import transaction
from app.db.tables import GpuReportRow
from app.periodic import Periodic
from worker.lifecycle.context import WorkerContext
from worker.machine.gpu_memory import read_gpu_memory

logger = logging.getLogger(__name__)

REPORT_SECONDS = 15.0
LONG_AGO = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 1)
"""An hour: a worker that was killed is forgotten by the next that reports."""


class GpuReporter:
    """A thread that reports until it is stopped; it ends at once where the worker has no GPU.

    A worker that was killed is forgotten by the next that reports.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._thread = Periodic("gpu-reports", self._report, REPORT_SECONDS, (SQLAlchemyError,))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes the report back."""
        self._thread.stop()
        try:
            self._forget_self()
        except SQLAlchemyError as error:
            logger.warning("a GPU report stays, the database is away: %s", type(error).__name__)

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
            session.execute(delete(GpuReportRow).where(GpuReportRow.seen_at < LONG_AGO))
            session.execute(new.on_conflict_do_update(index_elements=[GpuReportRow.worker], set_=values))
        return True

    def _forget_self(self) -> None:
        with transaction(self._context.engine) as session:
            session.execute(delete(GpuReportRow).where(GpuReportRow.worker == self._context.name))
