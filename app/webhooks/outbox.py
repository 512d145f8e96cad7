"""The outbox: what is to be delivered, written in the transaction of what happened.

One query where nobody listens, so that no audit waits for those that do.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.tables import WebhookDeliveryRow, WebhookRow
from app.domain.events import Event
from app.domain.vocabulary import DeliveryStatus


def tell(session: Session, tenant_id: UUID, *events: Event) -> None:
    """Every webhook of the tenant that listens; events come in their order. One that is disabled hears nothing."""
    now = func.clock_timestamp()
    types = [event.type for event in events]
    listening = select(WebhookRow.id, WebhookRow.events, now).where(
        WebhookRow.tenant_id == tenant_id, WebhookRow.disabled_at.is_(None), WebhookRow.events.overlap(types)
    )
    for webhook_id, wanted, happened_at in session.execute(listening).all():
        for event in events:
            if event.type in wanted:
                enqueue(session, tenant_id, webhook_id, event, happened_at)


def enqueue(session: Session, tenant_id: UUID, webhook_id: UUID, event: Event, happened_at: datetime) -> UUID:
    """One delivery's id."""
    delivery_id = new_id()
    values = {
        "id": delivery_id,
        "tenant_id": tenant_id,
        "webhook_id": webhook_id,
        "type": event.type,
        "subject_id": event.subject_id,
        "body": event.body(happened_at),
        "status": DeliveryStatus.PENDING,
        "attempt": 0,
    }
    session.execute(insert(WebhookDeliveryRow).values(values))
    return delivery_id
