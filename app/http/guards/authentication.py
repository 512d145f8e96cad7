"""No request gets further without a key that is good for it, but for the few paths that are open to all."""

from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.key_ring import Caller, KeyRing
from app.access.links import tenant_of
from app.access.rate_limits import RateLimiter
from app.access.scopes import Scope as AccessScope
from app.access.service import KeySigner
from app.errors import SalienceError
from app.http.authorization import OpenPaths
from app.http.guards.rate_headers import Header, check_rate, rate_headers
from app.http.problems import problem_response
from app.settings import Settings

LINK = "link"
"""The name of the query's field that holds a link's token."""


class Authentication:
    """ASGI middleware: the caller stands in the request's state. No route, and no body, is looked at before."""

    def __init__(self, app: ASGIApp, settings: Settings, open_paths: OpenPaths) -> None:
        self._app = app
        self._settings = settings
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open_paths.is_open(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
            limits: RateLimiter = scope["app"].state.services.rate_limiter
            standings = await limits.count({"key": caller.key_id, "tenant": caller.tenant_id})
            send = _telling([*_deprecation(caller), *rate_headers(standings)], send)
            check_rate(standings)
        except SalienceError as error:
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        scope["state"]["caller"] = caller
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        """By its key; by a link, where the request has no key and asks for a report."""
        keys: KeyRing = scope["app"].state.services.key_ring
        presented = _presented(scope)
        token = self._link(scope) if presented is None else None
        if token is None:
            return await keys.authenticate(presented)
        tenant_id = tenant_of(scope["path"], token, KeySigner.of(self._settings).secret, datetime.now(UTC))
        return Caller(tenant_id, tenant_id, frozenset({AccessScope.READ}), None, None)

    def _link(self, scope: Scope) -> str | None:
        if not self._open_paths.opens_by_link(scope["method"], scope["path"]):
            return None
        try:
            values = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=16).get(LINK, [])
        except ValueError:  # more fields than any report has
            return None
        return values[0] if len(values) == 1 else None


def _presented(scope: Scope) -> str | None:
    """The credentials of a single ``Authorization: Bearer``."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    kind, _, credentials = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
    return credentials.decode("latin-1") if kind.lower() == b"bearer" else None


def _deprecation(caller: Caller) -> list[Header]:
    """Of a rotated key, RFC 9745 and RFC 8594: since when another one is to be used, and when this one ends."""
    if caller.rotated_at is None:
        return []
    headers = [(b"deprecation", f"@{caller.rotated_at.timestamp():.0f}".encode())]
    if caller.expires_at is not None:
        headers.append((b"sunset", format_datetime(caller.expires_at.astimezone(UTC), usegmt=True).encode()))
    return headers


def _telling(headers: list[Header], send: Send) -> Send:
    """Whatever the answer is, it has these headers."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return with_headers
