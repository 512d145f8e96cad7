"""Attempts that fail, by what the receiver answers or what cannot be sent: what follows from each."""

import pytest
from cryptography.fernet import Fernet

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import WebhookRow
from app.domain.events import EventType
from app.domain.vocabulary import DeliveryStatus
from app.egress.addresses import AddressGuard
from app.webhooks.schedule import ATTEMPTS
from app.webhooks.signing import message_id
from tests.webhooks.posting import AUDITS, Post
from tests.webhooks.receiver import Receiver, Reply


def test_a_redirect_is_a_failure_that_is_not_followed(post: Post, receiver: Receiver) -> None:
    post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    receiver.replies.append(Reply(307, {"Location": f"{receiver.url}/elsewhere"}))
    post.round()
    assert [one.path for one in receiver.received] == ["/"]
    (row,) = post.deliveries()
    assert (row.status, row.attempts[0]["status_code"]) == ("pending", 307)


def test_who_answers_410_is_left_alone(post: Post, receiver: Receiver) -> None:
    webhook_id, _ = post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_SUCCEEDED, EventType.GATE_PASSED)
    receiver.replies.append(Reply(410))
    post.round()
    post.skip_waits()
    post.round()
    assert len(receiver.received) == 1
    assert [row.status for row in post.deliveries()] == ["failed", "pending"]
    assert post.webhook(webhook_id).disabled_reason == "The receiver answered 410: it wants nothing more."
    post.tell(AUDITS[1], EventType.AUDIT_FAILED)
    assert len(post.deliveries()) == 2


def test_who_asks_for_less_gets_nothing_for_a_while(post: Post, receiver: Receiver) -> None:
    webhook_id, _ = post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    receiver.replies.append(Reply(429, {"Retry-After": "60"}))
    post.round()
    post.tell(AUDITS[1], EventType.AUDIT_FAILED)
    post.round()
    assert len(receiver.received) == 1
    assert post.webhook(webhook_id).paused_until is not None
    post.skip_waits()
    post.round()
    assert len(receiver.received) == 3


def test_after_the_last_attempt_it_is_disabled(post: Post, receiver: Receiver) -> None:
    webhook_id, _ = post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    receiver.replies.extend([Reply(500)] * ATTEMPTS)
    for _ in range(ATTEMPTS):
        post.round()
        post.skip_waits()
    assert set(receiver.ids()) == {message_id(post.deliveries()[0].id)}
    assert len(receiver.received) == ATTEMPTS == 10
    assert post.deliveries()[0].status == DeliveryStatus.FAILED
    assert post.webhook(webhook_id).disabled_reason == "A delivery failed 10 times."


def test_what_is_not_public_is_not_called(post: Post, receiver: Receiver) -> None:
    post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    strict = Post(post.engine, AddressGuard())
    strict.round()
    assert receiver.received == []
    attempt = post.deliveries()[0].attempts[0]
    assert (attempt["status_code"], "not public" in attempt["problem"]) == (None, True)


def test_what_cannot_be_sent_is_an_attempt(post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, waits as others do, and counts as one; whatever is mended, the next attempt is an ordinary one."""
    webhook_id, _ = post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    with transaction(post.engine) as session:
        webhook = session.get_one(WebhookRow, webhook_id)
        sealed, webhook.secret = webhook.secret, Vault(Fernet.generate_key().decode()).seal("whsec_of another key")
    post.round()
    post.round()
    with transaction(post.engine) as session:
        session.get_one(WebhookRow, webhook_id).secret = sealed
    with monkeypatch.context() as patched:
        patched.setattr("app.webhooks.courier.message", lambda *_: 1 / 0)
        post.skip_waits()
        post.round()
    post.skip_waits()
    post.round()
    (row,) = post.deliveries()
    assert (row.status, row.attempt, len(receiver.received)) == ("delivered", 3, 1)
    assert [one["status_code"] for one in row.attempts] == [None, None, 204]
    assert "ENCRYPTION_KEYS" in row.attempts[0]["problem"]
    assert "fault of this service" in row.attempts[1]["problem"]
    assert post.webhook(webhook_id).disabled_at is None
