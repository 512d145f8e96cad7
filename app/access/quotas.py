"""What a tenant may have at once: bytes, models, live audits; and its minutes of workers in thirty days.

A quota is judged after the row that uses it was written and under the lock of the tenant's row: of two requests for the
last place the second waits for the first, and then sees what it wrote. It is the last lock that a transaction takes.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Null, Text, case, cast, func, null, select, true, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.tables import (
    DEFAULT_TENANT,
    UPLOADED,
    AuditRow,
    AuditUsageRow,
    Base,
    ConnectionRow,
    DatasetImportRow,
    HookRow,
    MapSetRow,
    ModelRow,
    PolicyRow,
    TenantRow,
    ViewArchiveRow,
    WebhookRow,
)
from app.domain.problems.service import QUOTA
from app.domain.vocabulary import LIVE
from app.errors import QuotaExceeded
from app.settings import Settings

USAGE_WINDOW = timedelta(days=30)


def check_models(session: Session, settings: Settings) -> None:
    """After a model was added. Raises QuotaExceeded."""
    limit = _locked_limit(session, TenantRow.max_models, settings.max_tenant_models)
    if limit and (session.scalar(select(func.count()).select_from(ModelRow)) or 0) > limit:
        raise QuotaExceeded(QUOTA.format(most=limit, what="models"))


def check_rows(session: Session, table: type[Base], settings: Settings) -> None:
    """After one of them was added; all tenants have the general limit. Raises QuotaExceeded."""
    most, noun = {
        WebhookRow: (settings.max_tenant_webhooks, "webhooks"),
        ConnectionRow: (settings.max_tenant_connections, "connections"),
        HookRow: (settings.max_tenant_hooks, "hooks"),
        PolicyRow: (settings.max_tenant_policies, "policies"),
    }[table]
    limit = _locked_limit(session, null(), most)
    if limit and (session.scalar(select(func.count()).select_from(table)) or 0) > limit:
        raise QuotaExceeded(QUOTA.format(most=limit, what=noun))


def check_live_audits(session: Session, settings: Settings) -> None:
    """After an audit was added. Raises QuotaExceeded."""
    limit = _locked_limit(session, TenantRow.max_live_audits, settings.max_tenant_live_audits)
    live = select(func.count()).select_from(AuditRow).where(AuditRow.status.in_(LIVE))
    if limit and (session.scalar(live) or 0) > limit:
        raise QuotaExceeded(QUOTA.format(most=limit, what="audits that are queued or running"))


def check_audit_minutes(session: Session, settings: Settings) -> None:
    """After an audit was added with its usage. Raises QuotaExceeded."""
    limit = _locked_limit(session, TenantRow.max_audit_minutes, settings.max_tenant_audit_minutes)
    minutes = used_audit_minutes(session) if limit else 0.0
    if minutes > limit:
        allowed = f"The tenant may have {limit} minutes of audits in {USAGE_WINDOW.days} days"
        raise QuotaExceeded(f"{allowed}; with this one they would be {minutes:.1f}.")


def used_audit_minutes(session: Session) -> float:
    """Of audits asked for within the window: what they took; while they live, at least what was estimated."""
    used = AuditUsageRow.used_seconds
    counted = case((AuditRow.status.in_(LIVE), func.greatest(AuditUsageRow.reserved_seconds, used)), else_=used)
    charges = select(func.coalesce(func.sum(counted), 0.0)).select_from(AuditUsageRow)
    charges = charges.outerjoin(AuditRow, AuditRow.id == AuditUsageRow.audit_id)
    return float(session.scalar(charges.where(AuditUsageRow.created_at > func.now() - USAGE_WINDOW)) or 0) / 60


def check_bytes(session: Session, settings: Settings, tenant_id: UUID | None = None) -> None:
    """After content was accepted, or something made of it; content that several rows share counts once. The service
    itself, which sees all tenants' rows, says whose. Raises QuotaExceeded."""
    limit = _locked_limit(session, TenantRow.max_bytes, settings.max_tenant_bytes, tenant_id)
    if limit and used_bytes(session, tenant_id) > limit:
        raise QuotaExceeded(QUOTA.format(most=limit, what="bytes of content"))


def used_bytes(session: Session, tenant_id: UUID | None = None) -> int:
    """Of the tenant's uploads, of what was made of them, of the rows of what was listed in their place, and of what its
    hooks took in."""
    archive = func.coalesce(ViewArchiveRow.stored_digest, cast(ViewArchiveRow.id, Text))
    maps = func.coalesce(MapSetRow.stored_digest, cast(MapSetRow.id, Text))
    columns = (
        *((table, table.content_digest, table.content_size) for table in UPLOADED),
        (ModelRow, ModelRow.reference_digest, ModelRow.reference_size),
        (ViewArchiveRow, archive, ViewArchiveRow.size),
        (MapSetRow, maps, MapSetRow.stored_size),
        (DatasetImportRow, cast(DatasetImportRow.dataset_id, Text), DatasetImportRow.listed_bytes),
    )
    contents: CompoundSelect[str | None, int | None] = union(
        *(
            select(digest, size).where(true() if tenant_id is None else table.tenant_id == tenant_id)
            for table, digest, size in columns
        )
    )
    sizes = contents.subquery().c.content_size
    bodies = select(func.coalesce(func.sum(HookRow.kept_bytes), 0))
    bodies = bodies.where(true() if tenant_id is None else HookRow.tenant_id == tenant_id)
    return sum(int(session.scalar(query) or 0) for query in (select(func.coalesce(func.sum(sizes), 0)), bodies))


def _locked_limit(
    session: Session, own: InstrumentedAttribute[int | None] | Null, general: int, tenant_id: UUID | None = None
) -> int:
    """The tenant's own limit, else the general one; 0, and no lock, where there is none."""
    limit: ColumnElement[int] = func.coalesce(own, general)
    whose: UUID = tenant_id or session.info.get("tenant_id", DEFAULT_TENANT)
    # Not FOR UPDATE: whoever adds a row of the tenant holds a key-share lock on it.
    locked = select(limit).where(TenantRow.id == whose, limit > 0).with_for_update(key_share=True)
    return session.scalar(locked) or 0
