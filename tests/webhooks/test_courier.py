"""The courier on a real database and a real receiver: order, patience, and the same id after whatever happened."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select, update

from app.access.repository import tenant_named
from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT, WebhookDeliveryRow, WebhookRow
from app.domain.events import Event, EventType
from app.domain.vocabulary import DeliveryStatus
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient, Limits
from app.housekeeping.resealing import reseal
from app.housekeeping.retention import remove_deliveries
from app.webhooks.courier import Courier
from app.webhooks.dispatch import Outcome, claim_next, write_outcome
from app.webhooks.outbox import tell
from app.webhooks.schedule import ATTEMPTS
from app.webhooks.schemas import WebhookRequest
from app.webhooks.service import create_webhook, rotate_secret, send_test
from app.webhooks.signing import message_id
from tests.waiting import until
from tests.webhooks.receiver import Receiver, Reply, receiving

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


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def post(engine: Engine) -> Post:
    return Post(engine)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Subject and type of what arrived, in order."""
    bodies: list[Any] = [one.document() for one in receiver.received]
    return [(body["data"]["audit_id"], body["type"]) for body in bodies]


def test_of_one_audit_in_order_and_of_others_meanwhile(post: Post, receiver: Receiver) -> None:
    _, secret = post.listen(receiver.url)
    first, second = AUDITS
    post.tell(first, EventType.AUDIT_SUCCEEDED, EventType.GATE_FAILED)
    post.tell(second, EventType.AUDIT_CANCELLED)
    receiver.replies.append(Reply(500))
    post.round()
    assert told(receiver) == [(str(first), "audit.succeeded"), (str(second), "audit.cancelled")]
    post.skip_waits()
    post.round()
    assert told(receiver)[2:] == [(str(first), "audit.succeeded"), (str(first), "gate.failed")]
    ids = receiver.ids()
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3
    assert [one.verified(secret)["type"] for one in receiver.received]
    rows = post.deliveries()
    assert [(row.status, row.attempt) for row in rows] == [("delivered", 2), ("delivered", 1), ("delivered", 1)]
    assert [attempt["status_code"] for attempt in rows[0].attempts] == [500, 204]
    assert [message_id(row.id) for row in rows] == [ids[0], ids[3], ids[1]]


def test_a_test_waits_for_no_other(post: Post, receiver: Receiver) -> None:
    """Whoever has mended the receiver sees it at once, whatever became of the test before."""
    webhook_id, _ = post.listen(receiver.url)
    receiver.replies.append(Reply(500))
    for _ in range(2):
        with transaction(post.engine) as session:
            send_test(session, session.get_one(WebhookRow, webhook_id))
        post.round()
    assert [one.status for one in post.deliveries()] == [DeliveryStatus.PENDING, DeliveryStatus.DELIVERED]


def test_only_who_listens_hears(post: Post, receiver: Receiver) -> None:
    with transaction(post.engine) as session:
        other = tenant_named(session, "other").id
    post.listen(f"{receiver.url}/gates", EventType.GATE_FAILED)
    post.listen(f"{receiver.url}/theirs", tenant_id=other)
    post.tell(AUDITS[0], EventType.AUDIT_SUCCEEDED)
    assert post.deliveries() == []
    post.tell(AUDITS[0], EventType.AUDIT_SUCCEEDED, EventType.GATE_FAILED, tenant_id=other)
    post.round()
    assert {one.path for one in receiver.received} == {"/theirs"}
    assert len(receiver.received) == 2


def test_what_is_rolled_back_is_not_told(post: Post, receiver: Receiver) -> None:
    post.listen(receiver.url)
    with transaction(post.engine) as session:
        tell(session, DEFAULT_TENANT, Event(EventType.AUDIT_FAILED, AUDITS[0], {}))
        session.rollback()
    assert post.deliveries() == []


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


def test_a_silent_receiver_keeps_nobody_else_waiting(post: Post, receiver: Receiver) -> None:
    with receiving() as other:
        post.listen(receiver.url)
        post.listen(other.url)
        post.tell(AUDITS[0], EventType.AUDIT_FAILED)
        receiver.replies.append(Reply(after=(hangs := threading.Event())))
        post.lanes.round()
        until(lambda: other.received and len(post.courier._busy) == 1)
        until(lambda: not post.courier._busy)
        hangs.set()
        delivered = {row.attempts[0]["status_code"]: row.attempts[0]["problem"] for row in post.deliveries()}
    assert delivered == {204: None, None: "The address does not answer in time."}


def test_killed_between_outbox_and_answer(post: Post, receiver: Receiver) -> None:
    """The lease of a process that is gone runs out; one that comes back late writes nothing."""
    webhook_id, _ = post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_SUCCEEDED)
    with transaction(post.engine) as session:
        lost = claim_next(session, webhook_id)
    assert lost is not None
    post.round()
    assert receiver.received == []
    with transaction(post.engine) as session:
        session.execute(update(WebhookDeliveryRow).values(lease_expires_at=func.now() - timedelta(seconds=1)))
    post.round()
    assert receiver.ids() == [message_id(lost.delivery_id)]
    with transaction(post.engine) as session:
        assert write_outcome(session, lost, Outcome(410)) is None
    assert post.deliveries()[0].status == DeliveryStatus.DELIVERED
    assert post.webhook(webhook_id).disabled_at is None


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


def test_secrets_change_over(post: Post, receiver: Receiver) -> None:
    webhook_id, old = post.listen(receiver.url)
    with transaction(post.engine) as session:
        new = rotate_secret(session, session.get_one(WebhookRow, webhook_id), VAULT, timedelta(hours=1))
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    post.round()
    assert receiver.received[0].verified(old) == receiver.received[0].verified(new)
    with transaction(post.engine) as session:
        session.get_one(WebhookRow, webhook_id).previous_until = func.now() - timedelta(seconds=1)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    post.round()
    receiver.received[1].verified(new)
    assert receiver.received[1].headers["webhook-signature"].count("v1,") == 1


def test_secrets_are_sealed_anew(post: Post) -> None:
    webhook_id, secret = post.listen("https://hooks.example.com/services/T0/B0/planted")
    stored = post.webhook(webhook_id)
    assert b"planted" not in stored.url
    assert secret.encode() not in stored.secret
    newer = Fernet.generate_key().decode()
    both = Vault(newer)
    both._keys += VAULT._keys
    assert (reseal(post.engine, both), reseal(post.engine, both), reseal(post.engine, Vault(None))) == (2, 0, 0)
    assert Vault(newer).open(post.webhook(webhook_id).secret) == secret
    assert reseal(post.engine, Vault(Fernet.generate_key().decode())) == 0  # told in the log, and left as it is


def test_what_ended_long_ago_goes(post: Post, receiver: Receiver) -> None:
    post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    post.round()
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    assert remove_deliveries(post.engine, timedelta(days=1)) == 0
    assert remove_deliveries(post.engine, timedelta(0)) == 1
    assert [row.status for row in post.deliveries()] == ["pending"]
