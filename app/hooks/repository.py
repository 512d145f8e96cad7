"""SQL of hooks and of what arrived."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.pages import Rows, newest
from app.db.session import clock, transaction
from app.db.tables import HookDeliveryRow, HookRow, PolicyRunRow
from app.errors import NotFound
from app.hooks.mapping import EventMapping


@dataclass(frozen=True)
class Door:
    """All that is known of a hook before its caller has proved anything."""

    tenant_id: UUID
    kind: str
    secrets: tuple[bytes, ...]
    """Each of which is good."""
    mapping: EventMapping | None
    refused_since: datetime | None
    refusals_told_at: datetime | None


def find_door(engine: Engine, hook_id: UUID) -> Door | None:
    """Across tenants, by the id alone."""
    with transaction(engine) as session:
        row = session.get(HookRow, hook_id)
        if row is None:
            return None
        mapping = None if row.mapping is None else EventMapping.model_validate(row.mapping)
        before = row.previous_secret if row.previous_until and row.previous_until > clock(session) else None
        secrets = (row.secret,) if before is None else (row.secret, before)
        return Door(row.tenant_id, row.kind, secrets, mapping, row.refused_since, row.refusals_told_at)


def get_hook(session: Session, hook_id: UUID, *, lock: bool = False) -> HookRow:
    """Raises NotFound."""
    row = session.get(HookRow, hook_id, with_for_update=lock)
    if row is None:
        raise NotFound("hook")
    return row


def list_hooks(session: Session, limit: int, after: UUID | None) -> Rows[HookRow]:
    """The newest first."""
    return newest(session, select(HookRow), HookRow, limit, after)


def list_deliveries(session: Session, hook_id: UUID, limit: int, after: UUID | None) -> Rows[HookDeliveryRow]:
    """The newest first."""
    return newest(
        session, select(HookDeliveryRow).where(HookDeliveryRow.hook_id == hook_id), HookDeliveryRow, limit, after
    )


def get_delivery(session: Session, hook_id: UUID, delivery_id: UUID, *, lock: bool = False) -> HookDeliveryRow:
    """Raises NotFound."""
    row = session.get(HookDeliveryRow, delivery_id, with_for_update=lock)
    if row is None or row.hook_id != hook_id:
        raise NotFound("delivery")
    return row


def keep_delivery(session: Session, hook_id: UUID, key: str, event: str, body: bytes) -> HookDeliveryRow:
    """The row of this key, new or not."""
    row = HookDeliveryRow
    values = {"id": new_id(), "hook_id": hook_id, "key": key, "event": event, "body": body, "outcome": "pending"}
    session.execute(insert(row).values(values).on_conflict_do_nothing(index_elements=[row.hook_id, row.key]))
    return session.scalars(select(row).where(row.hook_id == hook_id, row.key == key)).one()


def looked_at() -> ColumnElement[bool]:
    """Whether somebody has decided what follows from a delivery."""
    return or_(HookDeliveryRow.outcome != "pending", HookDeliveryRow.runs.is_not(None))


def forget_oldest(session: Session, hook_id: UUID, most: int, most_bytes: int) -> bool:
    """Deletes what is more than so many deliveries, or bytes of bodies, if it was looked at; whether all of it was."""
    row = HookDeliveryRow
    newest_first = row.id.desc()
    count = func.row_number().over(order_by=newest_first)
    size = func.sum(func.octet_length(row.body)).over(order_by=newest_first)
    kept = select(row.id, count.label("count"), size.label("size")).where(row.hook_id == hook_id).subquery()
    beyond = row.id.in_(select(kept.c.id).where(or_(kept.c.count > most, kept.c.size > most_bytes)))
    session.execute(delete(row).where(beyond, looked_at()).execution_options(synchronize_session=False))
    return session.scalar(select(row.id).where(beyond).limit(1)) is None


def runs_of(session: Session, delivery: HookDeliveryRow) -> list[PolicyRunRow]:
    """What policies made of it; those of policies that are gone are left out."""
    ids = [UUID(text) for text in delivery.runs or ()]
    return list(session.scalars(select(PolicyRunRow).where(PolicyRunRow.id.in_(ids)).order_by(PolicyRunRow.id)))
