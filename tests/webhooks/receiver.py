"""A receiver on loopback: a real HTTP server that keeps what it got, and answers as it is told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.egress.hosts import serving


@dataclass(frozen=True)
class Reply:
    """What it says to one request; it waits for ``after`` first."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    after: threading.Event | None = None


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def document(self) -> dict[str, Any]:
        """As JSON, whoever signed it."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """Its body, where the signature is good. Raises WebhookVerificationError."""
        document: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return document


class Receiver(ThreadingHTTPServer):
    """``replies`` are used up one by one; then everything is 204."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ids(self) -> list[str]:
        return [one.message_id for one in self.received]

    def handle_error(self, request: object, client_address: object) -> None:
        """Who called may be gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.replies.popleft() if self.server.replies else Reply()
        self.server.received.append(Received(self.path, headers, body))
        if reply.after is not None:
            reply.after.wait(60)
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with serving(receiver):
        yield receiver
