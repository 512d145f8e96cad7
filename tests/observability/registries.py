"""Secrets of every kind that a tenant can give, at a server that says back whatever it was shown."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx

from tests.registries.signing import created, send
from tests.waiting import until, wait_for

Json = dict[str, Any]
DIGEST = "0" * 64
CONNECTIONS: list[tuple[str, Json, str]] = [
    ("mlflow", {"token": "planted-mlflow-token-1f0a"}, "models:/faces/1"),
    ("mlflow", {"username": "me", "password": "planted-mlflow-password-2b7c"}, "models:/faces@champion"),
    ("huggingface", {"token": "hf_plantedHubToken3d9e"}, "hf://ours/faces@main"),
    ("oci", {"username": "me", "password": "planted-oci-password-4e21"}, "oci://{host}/team/faces:v1"),
    ("oci", {"token": "planted-oci-token-5a66"}, f"oci://{{host}}/team/faces@sha256:{DIGEST}"),
    ("s3", {"username": "AKIAPLANTEDTENANT", "password": "planted/s3+secret=key-6c3d"}, "s3://bucket/faces"),
    ("http", {"token": "planted-web-token-7d58"}, f"{{url}}/faces.safetensors#sha256={DIGEST}"),
    ("http", {"username": "me", "password": "planted-web-password-8f90"}, f"{{url}}/faces.pt#sha256={DIGEST}"),
]
HOOK_SECRETS = {kind: f"planted-{kind}-hook-secret" for kind in ("mlflow", "huggingface", "oci", "generic")}
IN_WEBHOOK = "planted-in-a-webhooks-address"


class Parrot(ThreadingHTTPServer):
    """Refuses everything, in the words that it heard; ``heard`` has each request's address and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, str]] = []
        self.credentials: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Parrot

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.heard.append((self.path, body.decode(errors="replace")))
        shown = self.headers.get("authorization", "nothing")
        self.server.credentials.append(shown)
        told = json.dumps({"error_code": shown, "message": f"{shown} {self.path}", "errors": [{"message": shown}]})
        self.send_response(403, shown)
        self.send_header("X-Shown", shown)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.encode())

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def parrot() -> Iterator[Parrot]:
    server = Parrot()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Planted:
    """What was planted, and what the service showed or told since."""

    secrets: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """Answers that are none of those which show a secret once."""
    told: list[str] = field(default_factory=list)
    """Bodies of events."""


def plant(client: httpx.Client, server: Parrot, dataset_id: str) -> Planted:
    """Connections, hooks and a webhook are made and used until each has failed."""
    planted = Planted([*HOOK_SECRETS.values(), IN_WEBHOOK])
    _made(client, "webhooks", url=f"http://{server.host}/{IN_WEBHOOK}", events=["hook.failing"], format="slack")
    webhook = _made(client, "webhooks", url=f"http://{server.host}/events", events=["hook.failing"])
    rotated = client.post(f"/v1/webhooks/{webhook['id']}/rotate").json()
    planted.secrets += [webhook["secret"], rotated["secret"]]
    connections = [_use_connection(client, server, planted, *one) for one in CONNECTIONS]
    _use_hooks(client, planted, dict(zip((kind for kind, _, _ in CONNECTIONS), connections, strict=True)), dataset_id)
    until(lambda: {f"/{IN_WEBHOOK}", "/events"} <= {path for path, _ in server.heard})
    planted.told = [body for path, body in server.heard if path in {f"/{IN_WEBHOOK}", "/events"}]
    assert any("hook.failing" in body for body in planted.told)
    nouns = ("connections", "hooks", "webhooks", "policies", "models", f"webhooks/{webhook['id']}/deliveries")
    planted.shown += [client.get(f"/v1/{noun}", params={"limit": 100}).text for noun in nouns]
    return planted


def _use_connection(client: httpx.Client, server: Parrot, planted: Planted, kind: str, auth: Json, uri: str) -> str:
    """It is tried, and a model is fetched over it; both are refused."""
    url = f"http://{server.host}"
    connection: str = _made(client, "connections", name=kind, kind=kind, url=url, auth=auth)["id"]
    planted.secrets += [auth.get("token") or auth["password"]]
    if "username" in auth:
        planted.secrets.append(base64.b64encode(f"{auth['username']}:{auth['password']}".encode()).decode())
    tried = client.post(f"/v1/connections/{connection}/test")
    assert not tried.json()["works"], tried.text
    source = {"connection_id": connection, "uri": uri.format(host=server.host, url=url)}
    model = _made(client, "models", name=f"over {kind}", source=source)
    rejected = wait_for(client, f"/v1/models/{model['id']}", "rejected")
    planted.shown += [tried.text, json.dumps(rejected), client.get(f"/v1/connections/{connection}").text]
    return connection


def _use_hooks(client: httpx.Client, planted: Planted, connections: dict[str, str], dataset_id: str) -> None:
    """Each is told of something, with its proof, and once without; what MLflow's leads to fails."""
    asked = {"connection_id": connections["mlflow"], "dataset_id": dataset_id, "sample_limit": 1}
    _made(client, "policies", name="p", match={"model": "*"}, **asked)
    mapping = {"name": "/name", "version": "/version", "proof": "bearer"}
    for kind, secret in HOOK_SECRETS.items():
        of = connections["mlflow" if kind == "generic" else kind]
        mapped = {"mapping": mapping} if kind == "generic" else {}
        hook = _made(client, "hooks", name=kind, kind=kind, connection_id=of, secret=secret, **mapped)["id"]
        proof = {"X-Webhook-Secret": secret} if kind == "huggingface" else {"Authorization": f"Bearer {secret}"}
        url = client.base_url.join(f"/v1/hooks/{hook}/deliveries")
        if kind == "mlflow":
            assert send(client, hook, created("faces"), secret=secret).status_code == 202
        else:
            assert httpx.post(url, json={"name": "x", "version": "2"}, headers=proof).status_code == 202
        refused = [httpx.post(url, json={}), httpx.post(url, json={}, params={"secret": secret})]
        assert refused[0].status_code == 401
        assert refused[1].is_error
        planted.shown += [client.get(f"/v1/hooks/{hook}/deliveries").text, *(answer.text for answer in refused)]
    rotated = client.post(f"/v1/hooks/{hook}/rotate").json()
    planted.secrets.append(rotated["secret"])


def _made(client: httpx.Client, noun: str, **fields: Any) -> Json:
    answer = client.post(f"/v1/{noun}", json=fields, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made
