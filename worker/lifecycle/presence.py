"""Says that this worker is there, so that a request knows which kinds of processor it can ask for."""

import logging
import threading
from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import transaction
from app.db.tables import WorkerRow
from worker.context import WorkerContext

logger = logging.getLogger(__name__)

ANNOUNCE_SECONDS = 15.0
FORGET_AFTER = timedelta(days=1)


class Presence:
    """A thread that announces the worker until it is stopped; a database that is away costs a turn."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The row stays: a worker that restarts is still known, one that does not is forgotten by its age."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            try:
                announce(self._context)
            except SQLAlchemyError as error:
                logger.warning("cannot say that this worker is there: %s", type(error).__name__)
            if self._stopped.wait(ANNOUNCE_SECONDS):
                return


def announce(context: WorkerContext) -> None:
    """On the database's clock; workers that were not seen for a day are forgotten."""
    now = func.clock_timestamp()
    row = insert(WorkerRow).values(name=context.name, device_class=context.device_class, seen_at=now)
    with transaction(context.engine) as session:
        session.execute(row.on_conflict_do_update(index_elements=[WorkerRow.name], set_={"seen_at": now}))
        session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - FORGET_AFTER))
