"""A request id for every request, in its answer and its logs, and a count by route and status."""

import logging
import re
from uuid import uuid4

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import unexpected_response

logger = logging.getLogger(__name__)

REQUESTS = Counter("salience_audit_http_requests", "HTTP requests", ["method", "route", "status"])

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SECURITY = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


class RequestContext:
    """ASGI middleware; the outermost, so that every answer has an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given.decode() if _SANE.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                extra = [(b"x-request-id", request_id.encode()), *_SECURITY]
                message["headers"] = [*message.get("headers", []), *extra]
                route = getattr(scope.get("route"), "path", "unmatched")
                REQUESTS.labels(scope["method"], route, message["status"]).inc()
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if started:
                raise
            await unexpected_response(request_id)(scope, receive, send_with_id)
