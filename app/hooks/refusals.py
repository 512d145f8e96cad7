"""Deliveries that prove nothing, as the hook's owner hears of them: the registry may have another secret by now.

Whoever knows a hook's address can send such. So nothing of them is kept but two times, and one event a day is told.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, func, or_, update
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, transaction
from app.db.tables import HookRow
from app.hooks.repository import Door
from app.webhooks.events import hook_failing
from app.webhooks.outbox import tell

TOLD_EVERY = timedelta(days=1)
PROBLEM = {
    "code": "deliveries-refused",
    "detail": "Deliveries arrive that do not show the hook's secret, or were signed more than 15 minutes ago: they are "
    "answered 401. If the registry's secret was changed, or its clock is wrong, its events are lost: give it the "
    "hook's secret again, or take another one by POST /v1/hooks/{id}/rotate. Else somebody else calls the address.",
}


def is_news(door: Door, now: datetime) -> bool:
    """Whether there is anything to write: nobody can have the database written to by calling again and again."""
    return door.refused_since is None or door.refusals_told_at is None or now - door.refusals_told_at > TOLD_EVERY


def note_refusal(engine: Engine, hook_id: UUID, door: Door) -> None:
    """Once a day at most the owner is told, however many there are, and whoever sends them."""
    row, now = HookRow, func.clock_timestamp()
    is_due = or_(row.refusals_told_at.is_(None), row.refusals_told_at < now - TOLD_EVERY)
    mine = update(row).where(row.id == hook_id)
    with transaction(TenantEngine(engine, door.tenant_id)) as session:
        if door.refused_since is None:
            session.execute(mine.where(row.refused_since.is_(None)).values(refused_since=now))
        hook = session.scalars(mine.where(is_due).values(refusals_told_at=now).returning(row)).one_or_none()
        if hook is not None:
            tell(session, door.tenant_id, hook_failing(hook, None, PROBLEM))


def note_proof(session: Session, hook_id: UUID) -> None:
    """The secret is good again, or still."""
    session.execute(update(HookRow).where(HookRow.id == hook_id).values(refused_since=None))
