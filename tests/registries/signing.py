"""Deliveries as MLflow sends them."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.waiting import PATIENCE_SECONDS

Json = dict[str, Any]
SECRET = "a secret of sixteen or more"
ANYONE = httpx.Client(timeout=PATIENCE_SECONDS)


def delivery(entity: str, action: str, **data: Any) -> bytes:
    told = {"entity": entity, "action": action, "timestamp": "2026-11-30T02:04:41.248379+00:00", "data": data}
    return json.dumps(told).encode()


def created(name: str, version: str = "1", **tags: str) -> bytes:
    source = {"source": "models:/m-84da", "run_id": "b80c4572c3af49558275aeaa63d6d52e", "description": None}
    return delivery("model_version", "created", name=name, version=version, tags=tags, **source)


def headers(body: bytes, secret: str = SECRET, key: str | None = None, age: int = 0) -> dict[str, str]:
    key, at = key or str(uuid4()), str(int(time.time()) - age)
    signed = hmac.new(secret.encode(), f"{key}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-MLflow-Signature": f"v1,{base64.b64encode(signed).decode()}",
        "X-MLflow-Delivery-Id": key,
        "X-MLflow-Timestamp": at,
    }


def send(service: httpx.Client, hook_id: str, body: bytes, **proof: Any) -> httpx.Response:
    """Without an API key."""
    url = service.base_url.join(f"/v1/hooks/{hook_id}/deliveries")
    return ANYONE.post(url, content=body, headers=headers(body, **proof))
