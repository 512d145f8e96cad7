"""A database, a courier on it, and what tests ask of them."""

from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select, update

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT, WebhookDeliveryRow, WebhookRow
from app.domain.events import Event, EventType
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient, Limits
from app.webhooks.courier import Courier
from app.webhooks.outbox import tell
from app.webhooks.schemas import WebhookRequest
from app.webhooks.service import create_webhook
from tests.waiting import until
from tests.webhooks.receiver import Receiver

VAULT = Vault(Fernet.generate_key().decode())
LOOPBACK = AddressGuard.of(["127.0.0.0/8"])
AUDITS = [new_id(), new_id()]


class Post:
    """A database, a courier and what tests ask of them."""

    def __init__(self, engine: Engine, guard: AddressGuard = LOOPBACK) -> None:
        self.engine = engine
        self.courier = Courier(engine, VAULT, lambda: EgressClient(guard, Limits(1.0, 2.0)), "https://audits.example")
        self.lanes = self.courier.lanes()

    def listen(self, url: str, *events: EventType, tenant_id: UUID = DEFAULT_TENANT) -> tuple[UUID, str]:
        with transaction(TenantEngine(self.engine, tenant_id)) as session:
            request = WebhookRequest(url=url, events=list(events or EventType))
            row, secret = create_webhook(session, request, VAULT, LOOPBACK)
            return row.id, secret

    def tell(self, audit_id: UUID, *types: EventType, tenant_id: UUID = DEFAULT_TENANT) -> None:
        with transaction(self.engine) as session:
            tell(session, tenant_id, *(Event(kind, audit_id, {"audit_id": str(audit_id)}) for kind in types))

    def round(self) -> None:
        """What is due now, delivered."""
        self.lanes.round()
        until(lambda: not self.courier._busy)

    def skip_waits(self) -> None:
        """As if the time had passed."""
        with transaction(self.engine) as session:
            session.execute(update(WebhookDeliveryRow).values(next_attempt_at=func.now()))
            session.execute(update(WebhookRow).values(paused_until=None))

    def deliveries(self) -> list[WebhookDeliveryRow]:
        with transaction(self.engine) as session:
            return list(session.scalars(select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.sequence)))

    def webhook(self, webhook_id: UUID) -> WebhookRow:
        with transaction(self.engine) as session:
            return session.get_one(WebhookRow, webhook_id)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Subject and type of what arrived, in order."""
    bodies: list[Any] = [one.document() for one in receiver.received]
    return [(body["data"]["audit_id"], body["type"]) for body in bodies]
