"""Secrets of webhooks: two are good while one changes over, and new keys of the service seal them anew."""

from datetime import timedelta

from cryptography.fernet import Fernet
from sqlalchemy import func

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import WebhookRow
from app.domain.events import EventType
from app.housekeeping.resealing import reseal
from app.webhooks.service import rotate_secret
from tests.webhooks.posting import AUDITS, VAULT, Post
from tests.webhooks.receiver import Receiver


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
