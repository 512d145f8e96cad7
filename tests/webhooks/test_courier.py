"""The courier on a real database and a real receiver: order, patience, and the same id after whatever happened."""

import threading
from datetime import timedelta

from sqlalchemy import func, update

from app.access.repository import tenant_named
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT, WebhookDeliveryRow, WebhookRow
from app.domain.events import Event, EventType
from app.domain.vocabulary import DeliveryStatus
from app.housekeeping.retention import remove_deliveries
from app.webhooks.dispatch import Outcome, claim_next, write_outcome
from app.webhooks.outbox import tell
from app.webhooks.service import send_test
from app.webhooks.signing import message_id
from tests.waiting import until
from tests.webhooks.posting import AUDITS, Post, told
from tests.webhooks.receiver import Receiver, Reply, receiving


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


def test_what_ended_long_ago_goes(post: Post, receiver: Receiver) -> None:
    post.listen(receiver.url)
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    post.round()
    post.tell(AUDITS[0], EventType.AUDIT_FAILED)
    assert remove_deliveries(post.engine, timedelta(days=1)) == 0
    assert remove_deliveries(post.engine, timedelta(0)) == 1
    assert [row.status for row in post.deliveries()] == ["pending"]
