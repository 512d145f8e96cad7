"""Webhooks, and what is to be delivered to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Identity, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Identified, Json
from app.domain.vocabulary import DeliveryStatus


class WebhookRow(Identified, Base):
    """Where a tenant's events go. Its address may be a secret itself (Slack's is), so both are sealed."""

    __tablename__ = "webhooks"

    about: Mapped[str | None]
    url: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    """Until then the secret before the last rotation signs as well."""
    events: Mapped[list[str]]
    format: Mapped[str]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    paused_until: Mapped[datetime | None]
    """The receiver asked for less."""


class WebhookDeliveryRow(Identified, Base):
    """One event for one webhook: the outbox, written in the transaction of what happened.

    ``id`` is the message's, equal over all attempts.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_tenant", "tenant_id", "id"),
        Index("ix_webhook_deliveries_webhook", "webhook_id", "id"),
        Index("ix_webhook_deliveries_due", "next_attempt_at", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_webhook_deliveries_order",
            "webhook_id",
            "subject_id",
            "sequence",
            postgresql_where=text("status = 'pending'"),
        ),
    )

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    sequence: Mapped[int] = mapped_column(BigInteger, Identity())
    """Their order; ids are only as fine as a millisecond."""
    type: Mapped[str]
    subject_id: Mapped[UUID]
    body: Mapped[Json] = mapped_column(JSON)
    status: Mapped[DeliveryStatus] = mapped_column(Text, default=DeliveryStatus.PENDING)
    attempt: Mapped[int] = mapped_column(default=0)
    """Since it was written, or last sent again by hand."""
    attempts: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """What became of each: ``at``, ``seconds``, ``status_code`` and, where there was no answer, ``problem``."""
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_expires_at: Mapped[datetime | None]
    """Until then a process is at it."""
    finished_at: Mapped[datetime | None]
