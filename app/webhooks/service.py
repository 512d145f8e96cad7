"""Makes, changes and rotates webhooks; never commits. Address and secret are sealed before they reach a row."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import clock
from app.db.tables import WebhookDeliveryRow, WebhookRow
from app.domain.events import TEST, Event
from app.domain.problems import integrations
from app.domain.vocabulary import DeliveryStatus
from app.egress.addresses import AddressGuard
from app.webhooks.outbox import enqueue
from app.webhooks.schemas import WebhookChange, WebhookRequest
from app.webhooks.signing import new_secret

BY_HAND = "Disabled by PATCH."


def create_webhook(
    session: Session, request: WebhookRequest, vault: Vault, guard: AddressGuard
) -> tuple[WebhookRow, str]:
    """The row and its secret. Raises AddressNotAllowed, Unavailable ``encryption-keys-missing``."""
    guard.check_url(request.url)
    secret = new_secret()
    row = WebhookRow(
        id=new_id(),
        url=vault.seal(request.url),
        secret=vault.seal(secret),
        events=[str(event) for event in request.events],
        format=request.format.value,
        about=request.description,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row, secret


def change_webhook(session: Session, row: WebhookRow, wanted: WebhookChange, vault: Vault, guard: AddressGuard) -> None:
    """Raises AddressNotAllowed."""
    if wanted.url is not None:
        guard.check_url(wanted.url)
        row.url = vault.seal(wanted.url)
    if wanted.events is not None:
        row.events = [str(event) for event in wanted.events]
    if "description" in wanted.model_fields_set:
        row.about = wanted.description
    if wanted.enabled is True:
        row.disabled_at = row.disabled_reason = row.paused_until = None
    if wanted.enabled is False and row.disabled_at is None:
        row.disabled_at, row.disabled_reason = clock(session), BY_HAND
    session.flush()
    session.refresh(row)


def rotate_secret(session: Session, row: WebhookRow, vault: Vault, grace: timedelta) -> str:
    """The new secret; the present one signs beside it for the grace. One before that ends now."""
    secret = new_secret()
    row.previous_secret, row.previous_until = row.secret, clock(session) + grace
    row.secret = vault.seal(secret)
    session.flush()
    session.refresh(row)
    return secret


def send_test(session: Session, row: WebhookRow) -> UUID:
    """The delivery's id. About nothing else, so that it waits for no other test. Raises Conflict
    ``webhook-disabled``."""
    check_enabled(row)
    event = Event(TEST, new_id(), {"webhook_id": str(row.id)})
    return enqueue(session, row.tenant_id, row.id, event, clock(session))


def send_again(session: Session, webhook: WebhookRow, delivery: WebhookDeliveryRow) -> None:
    """Under the same message id, from the first wait on. Raises Conflict ``webhook-disabled``."""
    check_enabled(webhook)
    delivery.status, delivery.attempt, delivery.finished_at = DeliveryStatus.PENDING, 0, None
    delivery.next_attempt_at = clock(session)
    session.flush()
    session.refresh(delivery)


def check_enabled(row: WebhookRow) -> None:
    """Raises Conflict ``webhook-disabled``."""
    if row.disabled_at is not None:
        raise integrations.WEBHOOK_DISABLED.error()
