"""SQL of webhooks and their deliveries, for their tenant."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import WebhookDeliveryRow, WebhookRow
from app.domain.vocabulary import DeliveryStatus
from app.errors import NotFound


def get_webhook(session: Session, webhook_id: UUID, *, lock: bool = False) -> WebhookRow:
    """Raises NotFound."""
    row = session.get(WebhookRow, webhook_id, with_for_update=lock)
    if row is None:
        raise NotFound("webhook")
    return row


def list_webhooks(session: Session, limit: int, after: UUID | None) -> Rows[WebhookRow]:
    """The newest first."""
    return newest(session, select(WebhookRow), WebhookRow, limit, after)


def lock_delivery(session: Session, webhook_id: UUID, delivery_id: UUID) -> WebhookDeliveryRow:
    """Raises NotFound."""
    row = session.get(WebhookDeliveryRow, delivery_id, with_for_update=True)
    if row is None or row.webhook_id != webhook_id:
        raise NotFound("delivery")
    return row


def list_deliveries(
    session: Session, webhook_id: UUID, status: DeliveryStatus | None, limit: int, after: UUID | None
) -> Rows[WebhookDeliveryRow]:
    """The newest first."""
    query = select(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook_id == webhook_id)
    if status is not None:
        query = query.where(WebhookDeliveryRow.status == status)
    return newest(session, query, WebhookDeliveryRow, limit, after)
