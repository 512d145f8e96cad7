"""What is kept for so many days, and no longer: each step in transactions of its own, safe to run twice."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import QueryableAttribute, Session

from app.db.session import transaction
from app.db.tables import (
    UPLOADED,
    AuditMapSetRow,
    AuditRow,
    AuditUsageRow,
    CleanSourceRow,
    DatasetRow,
    HookDeliveryRow,
    IdempotencyKeyRow,
    MapSetRow,
    ModelRow,
    RunGroupModelRow,
    SampleScoresRow,
    ViewArchiveRow,
    WebhookDeliveryRow,
)
from app.domain.vocabulary import ENDED, DeliveryStatus, ResourceStatus
from app.hooks.repository import forget_before, is_waiting

BATCH = 1000
_REFERRING: dict[type[ModelRow | DatasetRow | MapSetRow], QueryableAttribute[UUID]] = {
    ModelRow: RunGroupModelRow.model_id,
    MapSetRow: AuditMapSetRow.map_set_id,
}
"""Whose rows are kept though they have no content."""


def remove_scores(engine: Engine, keep: timedelta) -> int:
    """Scores and maps per sample of audits that ended that long ago; their results stay. Returns how many audits."""
    return _repeat(engine, partial(_remove_scores, keep=keep))


def remove_maps(engine: Engine, keep: timedelta) -> int:
    """Salience maps alone. Returns how many audits lost theirs."""
    return _repeat(engine, partial(_remove_maps, keep=keep))


def remove_keys(engine: Engine, keep: timedelta) -> int:
    """Idempotency keys that have expired."""
    row = IdempotencyKeyRow
    with transaction(engine) as session:
        expired = delete(row).where(row.created_at < func.clock_timestamp() - keep)
        return len(session.execute(expired.returning(row.key)).all())


def remove_deliveries(engine: Engine, keep: timedelta) -> int:
    """What was delivered to webhooks, or given up, that long ago; and what hooks took in, once somebody looked."""
    sent, taken, until = WebhookDeliveryRow, HookDeliveryRow, func.clock_timestamp() - keep
    with transaction(engine) as session:
        ended = delete(sent).where(sent.finished_at < until, sent.status != DeliveryStatus.PENDING)
        removed = len(session.execute(ended.returning(sent.id)).all())
        followed = select(taken.hook_id).where(taken.created_at < until, ~is_waiting()).distinct()
        hook_ids = session.scalars(followed).all()
    for hook_id in hook_ids:
        with transaction(engine) as session:
            removed += forget_before(session, hook_id, until)
    return removed


def remove_usage(engine: Engine, keep: timedelta) -> int:
    """What audits took of their tenants' minutes, once it does not count any more."""
    row = AuditUsageRow
    with transaction(engine) as session:
        past = delete(row).where(row.created_at < func.clock_timestamp() - keep)
        return len(session.execute(past.returning(row.audit_id)).all())


def remove_view_archives(engine: Engine, keep: timedelta) -> int:
    """Changed images that were made that long ago: asked for again, they are made again."""
    row = ViewArchiveRow
    with transaction(engine) as session:
        old = delete(row).where(row.finished_at < func.clock_timestamp() - keep)
        return len(session.execute(old.returning(row.id)).all())


def remove_awaiting(engine: Engine, keep: timedelta) -> int:
    """What never got content; models of a run group stay, and map sets that an audit hands out images for."""
    return sum(_repeat(engine, partial(_remove_awaiting, table=table, keep=keep)) for table in UPLOADED)


def _repeat(engine: Engine, step: Callable[[Session], int]) -> int:
    """A transaction a step, until one finds nothing more."""
    total = 0
    while True:
        with transaction(engine) as session:
            count = step(session)
        if not count:
            return total
        total += count


def _remove_scores(session: Session, keep: timedelta) -> int:
    audit = _next_audit(session, keep, AuditRow.scores_removed_at)
    if audit is None:
        return 0
    _stop_lending(session, audit)
    session.execute(delete(SampleScoresRow).where(SampleScoresRow.audit_id == audit.id))
    audit.scores_removed_at = func.clock_timestamp()
    return 1


def _remove_maps(session: Session, keep: timedelta) -> int:
    audit = _next_audit(session, keep, AuditRow.maps_removed_at)
    if audit is None:
        return 0
    _stop_lending(session, audit)
    chosen = (SampleScoresRow.audit_id == audit.id) & SampleScoresRow.maps.is_not(None)
    session.execute(update(SampleScoresRow).where(chosen).values(maps=None))
    audit.maps_removed_at = func.clock_timestamp()
    return 1


def _stop_lending(session: Session, audit: AuditRow) -> None:
    """Other audits take over clean maps from shards that are listed as having them."""
    session.execute(delete(CleanSourceRow).where(CleanSourceRow.audit_id == audit.id))


def _next_audit(session: Session, keep: timedelta, removed_at: QueryableAttribute[datetime | None]) -> AuditRow | None:
    due = select(AuditRow).where(
        AuditRow.status.in_(ENDED),
        AuditRow.finished_at < func.clock_timestamp() - keep,
        removed_at.is_(None),
    )
    return session.scalar(due.order_by(AuditRow.id).limit(1).with_for_update(skip_locked=True))


def _remove_awaiting(session: Session, table: type[ModelRow | DatasetRow | MapSetRow], keep: timedelta) -> int:
    due = select(table.id).where(
        table.status == ResourceStatus.AWAITING_CONTENT, table.updated_at < func.clock_timestamp() - keep
    )
    if table in _REFERRING:
        due = due.where(table.id.not_in(select(_REFERRING[table])))
    # Whoever refers to one just now holds its row.
    ids = session.scalars(due.limit(BATCH).with_for_update(skip_locked=True)).all()
    session.execute(delete(table).where(table.id.in_(ids)))
    return len(ids)
