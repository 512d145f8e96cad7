"""Signatures of Standard Webhooks 1.0, made by its own package."""

import base64
import os
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

SECRET_BYTES = 32
_PREFIX = "whsec_"


def new_secret() -> str:
    """``whsec_`` and the base64 of 32 bytes (the standard has 24 to 64)."""
    return _PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def message_id(delivery_id: UUID) -> str:
    """Equal over all attempts, so that a receiver knows what it has heard before."""
    return f"msg_{delivery_id.hex}"


def signed_headers(message: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """``at`` is the attempt's, in UTC; several secrets sign while one takes over from another."""
    signatures = [Webhook(secret).sign(message, at, body) for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
