"""A hook with a mapping, and CloudEvents that are signed for it."""

import hashlib
import hmac
from typing import Any

from tests.api.running_api import Api

Json = dict[str, Any]
SECRET = "a secret of sixteen"
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/registry",
    "type": "model.registered",
    "data": {"name": "faces", "version": 7},
}


def make_hook(api: Api) -> Json:
    asked = {"name": "ours", "kind": "mlflow", "url": "https://mlflow.example.com", "auth": {"token": "t" * 20}}
    connection = api.client.post("/v1/connections", json=asked)
    assert connection.status_code == 201, connection.text
    mapping = {"name": "/data/name", "version": "/data/version", "only": {"/type": "model.registered"}}
    mapping |= {"alias": "/data/alias", "tags": "/data/tags"}
    wanted = {"name": "events", "kind": "cloudevents", "secret": SECRET, "mapping": mapping}
    answer = api.client.post("/v1/hooks", json=wanted | {"connection_id": connection.json()["id"]})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    assert made["mapping"]["proof"] == "hmac"
    return made


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return {"Content-Type": "application/cloudevents+json", "X-Signature-256": f"sha256={digest}", "Authorization": ""}
