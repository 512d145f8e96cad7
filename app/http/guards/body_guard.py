"""What a request may cost before it is understood: the size of its headers, the time of its body."""

import asyncio
import contextlib
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.problems import service
from app.errors import TooSlow
from app.http.problems import problem_response
from app.settings import Settings

LINGER_SECONDS = 2.0
LINGER_BYTES = 8 * 1024**2


class BodyGuard:
    """ASGI middleware: refuses oversized headers and slow bodies; an answer ahead of the body's end closes."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _GuardedBody(scope, receive, send, self._settings)
        sizes = [len(name) + len(value) for name, value in scope["headers"]]
        sizes.append(len(scope["raw_path"]) + len(scope["query_string"]))
        if sum(sizes) > self._settings.max_header_bytes or len(sizes) > self._settings.max_headers:
            error = service.HEADERS_TOO_LARGE.error()
            await problem_response(error, scope["state"]["request_id"])(scope, receive, guarded.send)
            return
        await self._app(scope, guarded.receive, guarded.send)


class _GuardedBody:
    """One request's body on its way in, and its answer on its way out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: Settings) -> None:
        self._receive = receive
        self._send = send
        self._settings = settings
        headers = dict(scope["headers"])
        self._ended = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        self._may_linger = b"expect" not in headers
        self._received = 0
        self._waited = 0.0

    async def receive(self) -> Message:
        """Raises TooSlow where nothing comes for long, or too little for too long."""
        if self._ended:
            return await self._receive()
        owed = self._settings.body_grace_seconds + self._received / self._settings.min_body_rate - self._waited
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(self._settings.body_idle_seconds, max(owed, 0.0))):
                message = await self._receive()
        except TimeoutError as error:
            self._may_linger = False
            raise service.BODY_TOO_SLOW.error() from error
        self._waited += time.monotonic() - started
        self._received += len(message.get("body", b""))
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """The connection of a body that nobody reads to its end is of no further use."""
        if self._ended:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._linger()
            await self._send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """To close at once would reset the connection, and a client that still sends might never see the answer."""
        limit = self._received + LINGER_BYTES
        with contextlib.suppress(TimeoutError, TooSlow):
            async with asyncio.timeout(LINGER_SECONDS):
                while self._may_linger and not self._ended and self._received < limit:
                    await self.receive()
