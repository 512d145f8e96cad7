"""``/v1/webhooks``."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Response

from app.access.quotas import check_rows
from app.access.vault import Vault
from app.db.tables import WebhookDeliveryRow, WebhookRow
from app.domain.vocabulary import DeliveryStatus
from app.http.authorization import READS, WRITES
from app.http.dependencies import GuardDep, SessionDep, SettingsDep, VaultDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.naming.schemas import CHANGE_PROBLEMS
from app.webhooks import service
from app.webhooks.messages import WebhookFormat
from app.webhooks.repository import get_webhook, list_deliveries, list_webhooks, lock_delivery
from app.webhooks.schemas import (
    Attempt,
    Delivery,
    DeliveryId,
    NewWebhook,
    RotateRequest,
    Webhook,
    WebhookChange,
    WebhookId,
    WebhookRequest,
)
from app.webhooks.signing import message_id

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Ask to be told",
    responses=problem_responses(400, 409, 413, 415, 422, 503),
)
def create_webhook(
    request: WebhookRequest,
    session: SessionDep,
    settings: SettingsDep,
    vault: VaultDep,
    guard: GuardDep,
    response: Response,
) -> NewWebhook:
    """Instead of polling: the service sends each event of the kinds named to the address, by POST, signed as Standard
    Webhooks 1.0 say. The answer has the secret, this once. No `Idempotency-Key`: its answer would keep the secret."""
    row, secret = service.create_webhook(session, request, vault, guard)
    check_rows(session, WebhookRow, settings)
    session.commit()
    response.headers["Location"] = link(f"/v1/webhooks/{row.id}")
    return NewWebhook(**_fields(row, vault), secret=secret)


@router.get("", dependencies=[READS], summary="List webhooks, the newest first", responses=problem_responses(422, 503))
def get_webhooks(session: SessionDep, page: PageDep, vault: VaultDep) -> Page[Webhook]:
    """To see who is told of what, and which of them is disabled and why."""
    rows = list_webhooks(session, page.limit, page.after_id())
    return make_page(rows, lambda row: Webhook(**_fields(row, vault)), lambda row: [str(row.id)])


@router.get("/{webhook_id}", dependencies=[READS], summary="Read a webhook", responses=problem_responses(404, 503))
def get_one_webhook(webhook_id: WebhookId, session: SessionDep, vault: VaultDep) -> Webhook:
    """To see whether it is enabled, and if it is not, why it was disabled."""
    return Webhook(**_fields(get_webhook(session, webhook_id), vault))


@router.patch("/{webhook_id}", dependencies=[WRITES], summary="Change a webhook", responses=CHANGE_PROBLEMS)
def change_webhook(
    webhook_id: WebhookId, request: WebhookChange, session: SessionDep, vault: VaultDep, guard: GuardDep
) -> Webhook:
    """Its address, events and description, or whether it is enabled. What was not delivered before it was disabled
    comes once it is enabled again; what happened meanwhile is told to nobody."""
    row = get_webhook(session, webhook_id, lock=True)
    service.change_webhook(session, row, request, vault, guard)
    session.commit()
    return Webhook(**_fields(row, vault))


@router.delete(
    "/{webhook_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a webhook",
    responses=problem_responses(404),
)
def delete_webhook(webhook_id: WebhookId, session: SessionDep) -> None:
    """With all its deliveries, also those that were not yet delivered."""
    session.delete(get_webhook(session, webhook_id))
    session.commit()


@router.post(
    "/{webhook_id}/test",
    dependencies=[WRITES],
    status_code=202,
    summary="Send a test",
    responses=problem_responses(404, 409),
)
def send_test(webhook_id: WebhookId, session: SessionDep) -> Delivery:
    """An event `webhook.test`, delivered as all others are: read the deliveries to see what became of it."""
    delivery_id = service.send_test(session, get_webhook(session, webhook_id))
    session.commit()
    return _shown(session.get_one(WebhookDeliveryRow, delivery_id))


@router.post(
    "/{webhook_id}/rotate",
    dependencies=[WRITES],
    summary="Take another secret",
    responses=problem_responses(400, 404, 413, 415, 422, 503),
)
def rotate_secret(
    webhook_id: WebhookId, session: SessionDep, vault: VaultDep, request: RotateRequest | None = None
) -> NewWebhook:
    """The answer has the new secret, this once. Until the grace is over each message has a signature of both, so that
    a receiver can change over in its own time."""
    row = get_webhook(session, webhook_id, lock=True)
    grace = timedelta(seconds=(request or RotateRequest()).grace_seconds)
    secret = service.rotate_secret(session, row, vault, grace)
    session.commit()
    return NewWebhook(**_fields(row, vault), secret=secret)


@router.get(
    "/{webhook_id}/deliveries",
    dependencies=[READS],
    summary="List deliveries, the newest first",
    responses=problem_responses(404, 422),
)
def get_deliveries(
    webhook_id: WebhookId,
    session: SessionDep,
    page: PageDep,
    status: Annotated[DeliveryStatus | None, Query(description="Only those in this state.")] = None,
) -> Page[Delivery]:
    """What became of each: when it was tried, how the receiver answered, and when it is tried next."""
    get_webhook(session, webhook_id)
    rows = list_deliveries(session, webhook_id, status, page.limit, page.after_id())
    return make_page(rows, _shown, lambda row: [str(row.id)])


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    dependencies=[WRITES],
    status_code=202,
    summary="Deliver again",
    responses=problem_responses(404, 409),
)
def redeliver(webhook_id: WebhookId, delivery_id: DeliveryId, session: SessionDep) -> Delivery:
    """Under the same message id, whatever became of it before. Messages about the same subject wait for it."""
    webhook = get_webhook(session, webhook_id)
    row = lock_delivery(session, webhook_id, delivery_id)
    service.send_again(session, webhook, row)
    session.commit()
    return _shown(row)


def _fields(row: WebhookRow, vault: Vault) -> dict[str, object]:
    return {
        "id": row.id,
        "url": _shown_url(vault.open(row.url), WebhookFormat(row.format)),
        "events": row.events,
        "format": row.format,
        "description": row.about,
        "enabled": row.disabled_at is None,
        "disabled_reason": row.disabled_reason,
        "paused_until": row.paused_until,
        "previous_secret_until": row.previous_until,
        "created_at": row.created_at,
    }


def _shown_url(url: str, form: WebhookFormat) -> str:
    parts = urlsplit(url)
    return url if form is WebhookFormat.STANDARD else f"{parts.scheme}://{parts.netloc}/..."


def _shown(row: WebhookDeliveryRow) -> Delivery:
    return Delivery(
        id=row.id,
        message_id=message_id(row.id),
        event=row.type,
        status=row.status,
        attempts=[Attempt.model_validate(attempt) for attempt in row.attempts],
        next_attempt_at=row.next_attempt_at if row.status == DeliveryStatus.PENDING else None,
        created_at=row.created_at,
        finished_at=row.finished_at,
        body=row.body,
    )
