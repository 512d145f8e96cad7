"""An audit on a GPU stays with the kind that its first shard ran on: another gives other last bits, another driver or
cuDNN as well. Shards on CPUs may run on any, and the audit keeps which they were.
"""

import logging
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from app.db.presence import PRESENT_FOR
from app.db.tables import AuditRow, WorkerRow
from app.domain.vocabulary import DeviceClass
from worker.machine.processor import processor_of
from worker.shards.starting_over import start_over

logger = logging.getLogger(__name__)


def may_run(device_class: DeviceClass) -> ColumnElement[bool]:
    """Of an audit: whether a worker of this machine may take one of its shards."""
    if device_class is DeviceClass.CPU:
        return true()
    own = AuditRow.processors.contains([processor_of(device_class)])
    return or_(func.cardinality(AuditRow.processors) == 0, own, _is_orphan())


def settle(session: Session, audit_id: UUID, device_class: DeviceClass) -> bool:
    """Before a shard is claimed: pins an audit on a GPU to this one; False where it belongs to another.

    Where no worker with the audit's own is left, such as after a new driver, it begins anew on this one.
    """
    if device_class is DeviceClass.CPU:
        return True
    audit = session.get(AuditRow, audit_id, with_for_update={"key_share": True}, populate_existing=True)
    own = processor_of(device_class)
    if audit is None or own in audit.processors:
        return audit is not None
    if audit.processors:
        if session.scalar(select(AuditRow.id).where(AuditRow.id == audit_id, _is_orphan())) is None:
            return False
        logger.warning("audit %s begins anew: no worker is left with its processor %s", audit_id, audit.processors[0])
        start_over(session, audit_id)
    audit.processors = [own]
    return True


def note_processor(session: Session, audit_id: UUID, device_class: DeviceClass) -> None:
    """Where a shard was claimed."""
    own = processor_of(device_class)
    session.execute(
        update(AuditRow)
        .where(AuditRow.id == audit_id, ~AuditRow.processors.contains([own]))
        .values(processors=func.array_append(AuditRow.processors, own))
    )


def _is_orphan() -> ColumnElement[bool]:
    """Whether an audit belongs to a processor of which no worker is there."""
    recent = WorkerRow.seen_at > func.clock_timestamp() - PRESENT_FOR
    present = select(WorkerRow.name).where(recent, WorkerRow.processor == AuditRow.processors[1]).exists()
    return and_(func.cardinality(AuditRow.processors) > 0, ~present)
