"""The courier's SQL: what is due, claimed under a lease, and written down as long as it lasts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.db.session import clock
from app.db.tables import WebhookDeliveryRow, WebhookRow
from app.domain.vocabulary import DeliveryStatus
from app.webhooks.messages import WebhookFormat
from app.webhooks.schedule import after_failure

LEASE = timedelta(seconds=45)
"""Longer than an attempt may take."""
KEPT_ATTEMPTS = 50


@dataclass(frozen=True)
class Parcel:
    """A delivery that this process is at until its lease expires."""

    delivery_id: UUID
    webhook_id: UUID
    attempt: int
    lease_expires_at: datetime
    at: datetime
    """When it was claimed, by the database's clock."""
    body: dict[str, Any]
    format: WebhookFormat
    sealed_url: bytes
    sealed_secrets: tuple[bytes, ...]


@dataclass(frozen=True)
class Outcome:
    """How the receiver answered; without an answer, why there was none."""

    status: int | None
    retry_after: str | None = None
    problem: str | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def due_webhook(session: Session, busy: frozenset[UUID], full: frozenset[UUID]) -> tuple[UUID, UUID] | None:
    """The webhook for which something is due the longest, and whose it is; none of ``busy``, no tenant of ``full``."""
    query = (
        select(WebhookRow.id, WebhookRow.tenant_id)
        .join(WebhookDeliveryRow, WebhookDeliveryRow.webhook_id == WebhookRow.id)
        .where(_is_due(), ~_waits_for_another(), WebhookRow.id.not_in(busy), WebhookRow.tenant_id.not_in(full))
        .order_by(WebhookDeliveryRow.next_attempt_at)
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else (found.id, found.tenant_id)


def claim_next(session: Session, webhook_id: UUID) -> Parcel | None:
    """The first that is due and waits for no earlier one about the same subject."""
    delivery = WebhookDeliveryRow
    query = (
        select(delivery, WebhookRow)
        .join(WebhookRow, WebhookRow.id == delivery.webhook_id)
        .where(delivery.webhook_id == webhook_id, _is_due(), ~_waits_for_another())
        .order_by(delivery.sequence)
        .limit(1)
    )
    found = session.execute(query.with_for_update(of=delivery, skip_locked=True)).one_or_none()
    if found is None:
        return None
    row, webhook = found
    now = clock(session)
    lease = now + LEASE
    row.attempt += 1
    row.lease_expires_at = lease
    previous = webhook.previous_secret if webhook.previous_until and webhook.previous_until > now else None
    return Parcel(
        delivery_id=row.id,
        webhook_id=webhook.id,
        attempt=row.attempt,
        lease_expires_at=lease,
        at=now,
        body=row.body,
        format=WebhookFormat(webhook.format),
        sealed_url=webhook.url,
        sealed_secrets=(webhook.secret, *([previous] if previous else [])),
    )


def write_outcome(session: Session, parcel: Parcel, outcome: Outcome) -> str | None:
    """Why the webhook is disabled from now on, if it is. Nothing is written where the lease is another's now."""
    webhook = session.get(WebhookRow, parcel.webhook_id, with_for_update=True)
    row = session.get(WebhookDeliveryRow, parcel.delivery_id, with_for_update=True)
    if webhook is None or row is None or row.lease_expires_at != parcel.lease_expires_at:
        return None
    now = clock(session)
    row.attempts = [*row.attempts, _told(parcel, outcome, now)][-KEPT_ATTEMPTS:]
    row.lease_expires_at = None
    if outcome.delivered:
        row.status, row.finished_at = DeliveryStatus.DELIVERED, now
        return None
    following = after_failure(parcel.attempt, outcome.status, outcome.retry_after, now)
    if following.pause_seconds:
        webhook.paused_until = now + timedelta(seconds=following.pause_seconds)
    if following.wait_seconds is None:
        row.status, row.finished_at = DeliveryStatus.FAILED, now
    else:
        row.next_attempt_at = now + timedelta(seconds=following.wait_seconds)
    if following.disabled and webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason = now, following.disabled
        return following.disabled
    return None


def _told(parcel: Parcel, outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "at": parcel.at.isoformat(),
        "seconds": round((now - parcel.at).total_seconds(), 3),
        "status_code": outcome.status,
        "problem": outcome.problem,
    }


def _is_due() -> ColumnElement[bool]:
    now = func.clock_timestamp()
    delivery = WebhookDeliveryRow
    return and_(
        delivery.status == DeliveryStatus.PENDING,
        delivery.next_attempt_at <= now,
        or_(delivery.lease_expires_at.is_(None), delivery.lease_expires_at < now),
        WebhookRow.disabled_at.is_(None),
        or_(WebhookRow.paused_until.is_(None), WebhookRow.paused_until <= now),
    )


def _waits_for_another() -> ColumnElement[bool]:
    earlier = aliased(WebhookDeliveryRow)
    return exists().where(
        earlier.webhook_id == WebhookDeliveryRow.webhook_id,
        earlier.subject_id == WebhookDeliveryRow.subject_id,
        earlier.status == DeliveryStatus.PENDING,
        earlier.sequence < WebhookDeliveryRow.sequence,
    )
