"""SQL of hooks and of what arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, and_, delete, func, or_, select, update
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


class Kept(NamedTuple):
    """Of one hook: so many deliveries, and bytes of their bodies."""

    deliveries: int
    size: int

    def is_beyond(self, most: "Kept") -> bool:
        return self.deliveries > most.deliveries or self.size > most.size


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


def keep_delivery(session: Session, hook_id: UUID, key: str, event: str, body: bytes) -> tuple[HookDeliveryRow, bool]:
    """The row of this key, and whether it is new."""
    row = HookDeliveryRow
    values = {"id": new_id(), "hook_id": hook_id, "key": key, "event": event, "body": body, "outcome": "pending"}
    kept = insert(row).values(values).on_conflict_do_nothing(index_elements=[row.hook_id, row.key]).returning(row.id)
    is_new = session.execute(kept).one_or_none() is not None
    return session.scalars(select(row).where(row.hook_id == hook_id, row.key == key)).one(), is_new


def is_waiting() -> ColumnElement[bool]:
    """Whether nobody has decided yet what follows from a delivery."""
    return and_(HookDeliveryRow.outcome == "pending", HookDeliveryRow.runs.is_(None))


def count_kept(session: Session, hook_id: UUID, sizes: Sequence[int]) -> Kept:
    """With deliveries of these sizes more. Nobody else keeps or removes any of its own until the transaction ends."""
    row = HookRow
    more = {"kept": row.kept + len(sizes), "kept_bytes": row.kept_bytes + sum(sizes)}
    return _changed(session, hook_id, more)


def forget_oldest(session: Session, hook_id: UUID, newest: Kept) -> Kept:
    """Deletes what is more than that, if it was looked at. The hook's row is locked."""
    row = HookDeliveryRow
    newest_first = row.id.desc()
    count = func.row_number().over(order_by=newest_first)
    size = func.sum(func.octet_length(row.body)).over(order_by=newest_first)
    kept = select(row.id, count.label("count"), size.label("size")).where(row.hook_id == hook_id).subquery()
    beyond = select(kept.c.id).where(or_(kept.c.count > newest.deliveries, kept.c.size > newest.size))
    _delete(session, row.id.in_(beyond))
    return _recounted(session, hook_id)


def forget_before(session: Session, hook_id: UUID, until: ColumnElement[datetime]) -> int:
    """Deletes what arrived before then, if it was looked at; how many."""
    session.get(HookRow, hook_id, with_for_update={"key_share": True})
    row = HookDeliveryRow
    removed = _delete(session, and_(row.hook_id == hook_id, row.created_at < until))
    _recounted(session, hook_id)
    return removed


def _delete(session: Session, which: ColumnElement[bool]) -> int:
    """Those of them that were looked at, and that nobody has in hand."""
    row = HookDeliveryRow
    ids = select(row.id).where(which, ~is_waiting()).with_for_update(skip_locked=True)
    gone = delete(row).where(row.id.in_(ids)).returning(row.id)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())


def _recounted(session: Session, hook_id: UUID) -> Kept:
    row = HookDeliveryRow
    number, size = func.count(), func.coalesce(func.sum(func.octet_length(row.body)), 0)
    now = session.execute(select(number, size).where(row.hook_id == hook_id)).one()
    return _changed(session, hook_id, dict(zip(("kept", "kept_bytes"), now, strict=True)))


def _changed(session: Session, hook_id: UUID, values: Mapping[str, object]) -> Kept:
    row = HookRow
    changed = update(row).where(row.id == hook_id).values(**values).returning(row.kept, row.kept_bytes)
    found = session.execute(changed.execution_options(synchronize_session=False)).one_or_none()
    return Kept(0, 0) if found is None else Kept(*found)


def runs_of(session: Session, delivery: HookDeliveryRow) -> list[PolicyRunRow]:
    """What policies made of it; those of policies that are gone are left out."""
    ids = [UUID(text) for text in delivery.runs or ()]
    return list(session.scalars(select(PolicyRunRow).where(PolicyRunRow.id.in_(ids)).order_by(PolicyRunRow.id)))
