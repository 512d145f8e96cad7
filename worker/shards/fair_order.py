"""Whose turn it is: tenants take turns, and so do the audits of each. Nobody's ten thousand keep others waiting.

The tenant with the fewest shards at work comes first, then the one that was served least recently; of its audits
likewise, and then the oldest.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ShardRow, TenantRow
from app.domain.vocabulary import LIVE, DeviceClass
from worker.shards.pinning import may_run

_NEVER = datetime.min.replace(tzinfo=UTC)


class _AtWork(NamedTuple):
    """Shards that are held, by tenant and by audit."""

    of_tenant: Counter[UUID]
    of_audit: Counter[UUID]


def audits_in_fair_order(session: Session, device_class: DeviceClass) -> list[UUID]:
    """Live audits of that class that have a shard to claim."""
    at_work, waiting = _at_work(session), _waiting(session, device_class)
    tenants = {tenant_id for _, tenant_id in waiting}
    turns = {tenant_id: at_work.of_tenant[tenant_id] for tenant_id in tenants}
    served = _served_at(session, tenants) if len(tenants) > 1 else {}

    def place(audit: tuple[UUID, UUID]) -> tuple[int, datetime, int]:
        audit_id, tenant_id = audit
        return turns[tenant_id], served.get(tenant_id) or _NEVER, at_work.of_audit[audit_id]

    return [audit_id for audit_id, _ in sorted(waiting, key=place)]


def _at_work(session: Session) -> _AtWork:
    held = status_is("running") & (ShardRow.lease_expires_at >= func.clock_timestamp())
    query = select(ShardRow.audit_id, ShardRow.tenant_id, func.count()).where(held)
    found = _AtWork(Counter(), Counter())
    for audit_id, tenant_id, shards in session.execute(query.group_by(ShardRow.audit_id, ShardRow.tenant_id)):
        found.of_audit[audit_id] += shards
        found.of_tenant[tenant_id] += shards
    return found


def _waiting(session: Session, device_class: DeviceClass) -> list[tuple[UUID, UUID]]:
    """With their tenants. A query of its own: the planner takes live audits for few, and would join them row by row."""
    of_audit = ShardRow.audit_id == AuditRow.id
    served_at = select(func.max(ShardRow.claimed_at)).where(of_audit).scalar_subquery()
    free = select(ShardRow.id).where(of_audit, is_free()).exists()
    query = select(AuditRow.id, AuditRow.tenant_id)
    query = query.where(AuditRow.status.in_(LIVE), AuditRow.device_class == device_class, free, may_run(device_class))
    found = session.execute(query.order_by(served_at.asc().nulls_first(), AuditRow.id))
    return [(audit_id, tenant_id) for audit_id, tenant_id in found]


def _served_at(session: Session, tenants: set[UUID]) -> dict[UUID, datetime | None]:
    """One look into an index for each."""
    latest = select(func.max(ShardRow.claimed_at)).where(
        ShardRow.tenant_id == TenantRow.id, ShardRow.claimed_at.is_not(None)
    )
    query = select(TenantRow.id, latest.scalar_subquery()).where(TenantRow.id.in_(tenants))
    return {tenant_id: at for tenant_id, at in session.execute(query)}  # noqa: C416 - dict() has no type for it


def is_free() -> ColumnElement[bool]:
    """Queued and not pausing, or running under a lease that has run out."""
    waits = status_is("queued") & ShardRow.lease_expires_at.is_(None)
    return ~status_is("done") & or_(waits, ShardRow.lease_expires_at < func.clock_timestamp())


def status_is(word: Literal["queued", "running", "done"]) -> ColumnElement[bool]:
    """Spelt out: with a parameter the plan could not use the index of shards that are not done."""
    return ShardRow.status == literal_column(f"'{word}'")
