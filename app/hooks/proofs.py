"""Whether a delivery is authentic, by the rule of its registry."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

REPLAY_WINDOW = timedelta(minutes=15)
"""MLflow signs once, and sends the same signature with every retry."""
MAX_KEY_CHARACTERS = 200


def mlflow_signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    """``v1,`` and the Base64 of HMAC-SHA256."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()}"


def mlflow_delivery_id(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str | None:
    """The delivery's id where signature and time are good; None where they are not."""
    delivery_id = headers.get("x-mlflow-delivery-id", "")
    timestamp = headers.get("x-mlflow-timestamp", "")
    expected = mlflow_signature(secret, delivery_id, timestamp, body)
    is_signed = hmac.compare_digest(expected.encode(), headers.get("x-mlflow-signature", "").encode())
    is_named = 0 < len(delivery_id) <= MAX_KEY_CHARACTERS
    return delivery_id if is_signed and is_named and _is_recent(timestamp, now) else None


def hub_delivery_id(headers: Mapping[str, str], body: bytes, secret: str) -> str | None:
    """The Hub signs nothing: it shows the secret itself. Its id stays over retries; without one the body is its own."""
    if not hmac.compare_digest(secret.encode(), headers.get("x-webhook-secret", "").encode()):
        return None
    named = headers.get("webhook-id", "")
    return named if 0 < len(named) <= MAX_KEY_CHARACTERS else hashlib.sha256(body).hexdigest()


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    return abs(now - datetime.fromtimestamp(int(timestamp), UTC)) <= REPLAY_WINDOW


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """HMAC-SHA256 of the raw body: hex or Base64, perhaps after ``sha256=`` or ``v1,``."""
    return hmac.compare_digest(hmac.digest(secret.encode(), body, hashlib.sha256), _digest(signature))


def is_bearer(secret: str, authorization: str) -> bool:
    """``Bearer SECRET``."""
    return hmac.compare_digest(f"Bearer {secret}".encode(), authorization.encode())


def shows_secret(secret: str, authorization: str) -> bool:
    """``Bearer SECRET``, or the secret alone, as registries send whatever header they were told."""
    is_alone = hmac.compare_digest(secret.encode(), authorization.encode())
    return is_bearer(secret, authorization) or is_alone


def _digest(signature: str) -> bytes:
    """Empty where it is none."""
    text = signature.strip().removeprefix("sha256=").removeprefix("v1,")
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
