"""A request id for every request, in its answer, its logs and its trace; what it took, by route and status."""

import logging
import re
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.guards.access_log import note_access
from app.http.problems import unexpected_response
from app.observability.log_context import IDS, bind, bound
from app.observability.tracing import Span, span

logger = logging.getLogger(__name__)

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
}
"""An answer that wants another policy, or to be kept, says so itself."""


class RequestContext:
    """ASGI middleware; the outermost, so that every answer has an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _SANE.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        with (
            bound(request_id=request_id),
            span(scope["method"], {"request_id": request_id}, parent=_trace_parent(headers)) as traced,
        ):
            await self._answer(scope, receive, _Answer(scope, send, request_id, traced))

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            logger.exception("request %s failed", answer.request_id)
            if answer.status is not None:
                raise
            await unexpected_response(answer.request_id)(scope, receive, answer.send)
        finally:
            answer.end()


class _Answer:
    """One answer on its way out: gets its id, is measured."""

    def __init__(self, scope: Scope, send: Send, request_id: str, traced: Span) -> None:
        self._scope = scope
        self._send = send
        self._traced = traced
        self._started = time.perf_counter()
        self._sent_bytes = 0
        self.request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", [])
            names = {name.lower() for name, _ in given}
            missing = [item for item in SECURITY_HEADERS.items() if item[0] not in names]
            message["headers"] = [*given, (b"x-request-id", self.request_id.encode()), *missing]
        self._sent_bytes += len(message.get("body", b""))
        await self._send(message)

    def end(self) -> None:
        method, route = self._scope["method"], getattr(self._scope.get("route"), "path", "unmatched")
        self._traced.rename(f"{method} {route}")
        self._traced.note({"http.request.method": method, "http.route": route})
        if self.status is not None:
            self._traced.note({"http.response.status_code": self.status})
        if self.status is None or self.status >= 500:
            self._traced.fail(str(self.status))
        note_access(method, route, self.status, time.perf_counter() - self._started, self._sent_bytes)


def _trace_parent(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The caller's part of the trace, if it sends one (W3C Trace Context)."""
    return {name: headers[name.encode()].decode("latin-1") for name in _TRACE_HEADERS if name.encode() in headers}


_TRACE_HEADERS = ("traceparent", "tracestate")


async def bind_path_ids(request: Request) -> None:
    """A router's dependency: the ids in a request's path stand in its log lines."""
    for name, value in request.path_params.items():
        if name in IDS and _is_uuid(value):
            bind(**{name: value})


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
