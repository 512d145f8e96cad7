"""Which workers are there: each says so every quarter of a minute, on the database's clock."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import WorkerRow
from app.domain.vocabulary import DeviceClass

PRESENT_FOR = timedelta(seconds=60)
NOBODY = "No worker is there: uploads and audits wait until one is started (salience-audit worker)."


def workers_present(session: Session) -> Counter[DeviceClass]:
    """How many were seen within a minute, by device class."""
    recent = WorkerRow.seen_at > func.clock_timestamp() - PRESENT_FOR
    query = select(WorkerRow.device_class, func.count()).where(recent).group_by(WorkerRow.device_class)
    return Counter({DeviceClass(name): count for name, count in session.execute(query)})


def missing_worker(present: Counter[DeviceClass], device_class: DeviceClass) -> str | None:
    """What to tell of an audit that waits for that class; None where a worker of it is there."""
    if present[device_class]:
        return None
    if not present.total():
        return NOBODY
    others = " and ".join(sorted(present))
    advice = f"start one (DEVICE={'cuda' if device_class is DeviceClass.GPU else 'cpu'} salience-audit worker)"
    return (
        f"No {device_class} worker is there, only {others}: the audit waits; {advice}, or ask for another device_class."
    )
