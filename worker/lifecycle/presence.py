"""Says that this worker is there, so that a request knows which kinds of processor it can ask for."""

from datetime import timedelta
from functools import partial

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import transaction
from app.db.tables import WorkerRow
from app.periodic import Periodic
from worker.lifecycle.context import WorkerContext
from worker.machine.processor import processor_of

ANNOUNCE_SECONDS = 15.0
FORGET_AFTER = timedelta(days=1)


def presence_of(context: WorkerContext) -> Periodic:
    """A thread that announces the worker until it is stopped; a database that is away costs a turn.

    The row stays: a worker that restarts is still known, one that does not is forgotten by its age.
    """
    return Periodic("presence", partial(announce, context), ANNOUNCE_SECONDS, (SQLAlchemyError,))


def announce(context: WorkerContext) -> None:
    """On the database's clock; workers that were not seen for a day are forgotten."""
    now = func.clock_timestamp()
    known = {"device_class": context.device_class, "processor": processor_of(context.device_class)}
    row = insert(WorkerRow).values(name=context.name, seen_at=now, **known)
    with transaction(context.engine) as session:
        session.execute(row.on_conflict_do_update(index_elements=[WorkerRow.name], set_={"seen_at": now, **known}))
        session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - FORGET_AFTER))
