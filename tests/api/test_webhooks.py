"""``/v1/webhooks`` of a real API process, and a receiver that it calls."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, update

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT, WebhookDeliveryRow
from app.domain.vocabulary import AuditStatus
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.webhooks.courier import Courier
from tests.api.audit_rows import add_audit
from tests.api.running_api import Api, check_problem
from tests.keys import make_key
from tests.waiting import PATIENCE_SECONDS, lanes_ended, until
from tests.webhooks.receiver import Receiver, Reply, receiving

Json = dict[str, Any]
KEYS = Fernet.generate_key().decode()
SETTINGS = {
    "ENCRYPTION_KEYS": KEYS,
    "ALLOWED_NETWORKS": "127.0.0.0/8",
    "WEBHOOK_SECONDS": "0.1",
    "RECONCILE_SECONDS": "3600",
    "PUBLIC_URL": "https://audits.example.com",
    "MAX_TENANT_WEBHOOKS": "3",
}


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, **SETTINGS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    """Of a tenant of its own."""
    key = make_key(api.engine, f"tenant {os.urandom(4).hex()}")
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=api.client.base_url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def listen(client: httpx.Client, url: str, *events: str, **more: Any) -> Json:
    answer = client.post("/v1/webhooks", json={"url": url, "events": events or ["audit.cancelled"]} | more)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{made['id']}"
    return made


def delivered(client: httpx.Client, path: str) -> list[Json]:
    """Once none is pending."""

    def ended() -> list[Json]:
        items: list[Json] = client.get(f"{path}/deliveries").json()["items"]
        return items if items and all(item["status"] != "pending" for item in items) else []

    return until(ended)


def test_a_cancelled_audit_is_told(api: Api, receiver: Receiver) -> None:
    made = listen(api.client, receiver.url)
    path = f"/v1/webhooks/{made['id']}"
    audit_id = add_audit(api.engine, shards=1)
    for _ in range(2):  # the second one changes nothing
        assert api.client.post(f"/v1/audits/{audit_id}/cancel").json()["status"] == AuditStatus.CANCELLED
    (delivery,) = delivered(api.client, path)
    (got,) = receiver.received
    assert got.headers["content-type"] == "application/json"
    body = got.verified(made["secret"])
    assert body["type"] == "audit.cancelled"
    assert body["data"]["links"]["audit"] == f"https://audits.example.com/v1/audits/{audit_id}"
    assert (delivery["status"], delivery["message_id"]) == ("delivered", got.message_id)
    assert [(one["status_code"], one["problem"]) for one in delivery["attempts"]] == [(204, None)]
    assert api.client.delete(path).status_code == 204


def test_the_secret_is_told_once(client: httpx.Client, receiver: Receiver) -> None:
    made = listen(client, receiver.url, description="ours")
    path = f"/v1/webhooks/{made['id']}"
    for shown in (
        client.get(path).text,
        client.get("/v1/webhooks").text,
        client.patch(path, json={"enabled": True}).text,
    ):
        assert made["secret"] not in shown
    rotated = client.post(f"{path}/rotate", json={"grace_seconds": 60}).json()
    assert rotated["previous_secret_until"] is not None
    assert client.post(f"{path}/test").status_code == 202
    delivered(client, path)
    assert receiver.received[0].verified(made["secret"]) == receiver.received[0].verified(rotated["secret"])
    assert client.post(f"{path}/rotate").json()["secret"] not in {made["secret"], rotated["secret"]}


def test_sent_again_it_has_the_same_id(client: httpx.Client, receiver: Receiver) -> None:
    path = f"/v1/webhooks/{listen(client, receiver.url)['id']}"
    test = client.post(f"{path}/test").json()
    assert (test["event"], test["status"]) == ("webhook.test", "pending")
    delivered(client, path)
    again = client.post(f"{path}/deliveries/{test['id']}/redeliver")
    assert again.status_code == 202, again.text
    (delivery,) = delivered(client, path)
    assert receiver.ids() == [test["message_id"]] * 2
    assert len(delivery["attempts"]) == 2


def test_a_disabled_one_gets_nothing_until_it_is_enabled(client: httpx.Client, receiver: Receiver) -> None:
    path = f"/v1/webhooks/{listen(client, receiver.url)['id']}"
    receiver.replies.append(Reply(410))
    test = client.post(f"{path}/test").json()
    delivered(client, path)
    shown = client.get(path).json()
    assert (shown["enabled"], "410" in shown["disabled_reason"]) == (False, True)
    for refused in ("/test", f"/deliveries/{test['id']}/redeliver"):
        check_problem(client.post(path + refused), 409, "webhook-disabled")
    assert client.patch(path, json={"enabled": True}).json()["enabled"] is True
    assert client.post(f"{path}/deliveries/{test['id']}/redeliver").status_code == 202
    until(lambda: len(receiver.received) == 2)
    assert client.patch(path, json={"enabled": False}).json()["disabled_reason"] == "Disabled by PATCH."


def test_slack_hears_in_its_own_form(client: httpx.Client, receiver: Receiver) -> None:
    made = listen(client, f"{receiver.url}/services/T0/B0/planted", format="slack")
    assert made["url"] == f"{receiver.url}/..."
    client.post(f"/v1/webhooks/{made['id']}/test")
    delivered(client, f"/v1/webhooks/{made['id']}")
    assert receiver.received[0].path == "/services/T0/B0/planted"
    section = {"type": "section", "text": {"type": "plain_text", "text": "webhook.test", "emoji": False}}
    assert receiver.received[0].document() == {"text": "webhook.test", "blocks": [section]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://169.254.169.254/latest"}, "address-not-allowed"),
        ({"url": "http://10.0.0.1/"}, "address-not-allowed"),
        ({"url": "file:///etc/passwd"}, "address-not-allowed"),
        ({"url": "https://user:planted@example.com/"}, "address-not-allowed"),
        ({"events": []}, "validation-error"),
        ({"events": ["audit.started"]}, "validation-error"),
        ({"secret": "mine"}, "validation-error"),
    ],
)
def test_refused(client: httpx.Client, receiver: Receiver, changes: Json, code: str) -> None:
    asked = {"url": receiver.url, "events": ["audit.failed"]} | changes
    detail = check_problem(client.post("/v1/webhooks", json=asked), 422, code)
    assert "planted" not in detail
    assert client.get("/v1/webhooks").json()["items"] == []


def test_so_many_and_only_ones_own(client: httpx.Client, api: Api, receiver: Receiver) -> None:
    ids = [listen(client, receiver.url)["id"] for _ in range(3)]
    asked = {"url": receiver.url, "events": ["audit.failed"]}
    check_problem(client.post("/v1/webhooks", json=asked), 409, "quota-exceeded")
    path = f"/v1/webhooks/{ids[0]}"
    delivery = client.post(f"{path}/test").json()["id"]
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate", {}),
        ("GET", "/deliveries", None),
        ("POST", f"/deliveries/{delivery}/redeliver", None),
    ):
        check_problem(api.client.request(method, path + rest, json=body), 404, "not-found")
    reader = {"Authorization": f"Bearer {make_key(api.engine, 'reader', 'audit:read')}"}
    check_problem(client.post("/v1/webhooks", json=asked, headers=reader), 403, "insufficient-scope")


def test_an_api_that_is_killed_while_it_delivers(
    start_api: Callable[..., Api], broker_url: str, receiver: Receiver
) -> None:
    """Another process finds the lease run out, and sends the same message."""
    doomed = start_api(broker_url, **SETTINGS)
    made = listen(doomed.client, receiver.url)
    receiver.replies.append(Reply(after=(hangs := threading.Event())))
    audit_id = add_audit(doomed.engine, shards=1)
    doomed.client.post(f"/v1/audits/{audit_id}/cancel")
    until(lambda: receiver.received)
    os.kill(doomed.pid, signal.SIGKILL)
    hangs.set()
    with transaction(doomed.engine) as session:
        session.execute(update(WebhookDeliveryRow).values(lease_expires_at=func.now()))
    guard = AddressGuard.of(["127.0.0.0/8"])
    other = Courier(doomed.engine, Vault(KEYS), lambda: EgressClient(guard), None)
    other.lanes().round()
    lanes_ended()
    assert len(set(receiver.ids())) == 1
    assert len(receiver.ids()) == 2
    assert {one.verified(made["secret"])["type"] for one in receiver.received} == {"audit.cancelled"}
    with transaction(doomed.engine) as session:
        (row,) = session.query(WebhookDeliveryRow)
        assert (row.status, row.tenant_id) == ("delivered", DEFAULT_TENANT)


def test_without_keys_it_says_who_can_help(start_api: Callable[..., Api], broker_url: str) -> None:
    bare = start_api(broker_url, RECONCILE_SECONDS="3600", WEBHOOK_SECONDS="3600")
    asked = {"url": "https://ci.example.com/", "events": ["audit.failed"]}
    assert "ENCRYPTION_KEYS" in check_problem(
        bare.client.post("/v1/webhooks", json=asked), 503, "encryption-keys-missing"
    )
