"""No request gets further without a key that is good for it, but for the few paths that are open to all."""

from datetime import UTC
from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.key_ring import Caller, KeyRing
from app.access.scopes import is_open, needed_scope
from app.errors import InsufficientScope, SalienceError
from app.http.problems import problem_response
from app.settings import Settings


class Authentication:
    """ASGI middleware: the caller stands in the request's state. No route, and no body, is looked at before."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"], self._settings):
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._admit(scope)
        except SalienceError as error:
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        scope["state"]["caller"] = caller
        await self._app(scope, receive, send if caller.rotated_at is None else _deprecating(caller, send))

    async def _admit(self, scope: Scope) -> Caller:
        keys: KeyRing = scope["app"].state.key_ring
        caller = await keys.authenticate(_presented(scope))
        needed = needed_scope(scope["method"], scope["path"])
        if needed not in caller.scopes:
            raise InsufficientScope(needed)
        return caller


def _presented(scope: Scope) -> str | None:
    """The credentials of a single ``Authorization: Bearer``."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    kind, _, credentials = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
    return credentials.decode("latin-1") if kind.lower() == b"bearer" else None


def _deprecating(caller: Caller, send: Send) -> Send:
    """RFC 9745 and RFC 8594: since when another key is to be used, and when this one ends."""
    headers = [(b"deprecation", f"@{caller.rotated_at.timestamp():.0f}".encode())] if caller.rotated_at else []
    if caller.expires_at is not None:
        headers.append((b"sunset", format_datetime(caller.expires_at.astimezone(UTC), usegmt=True).encode()))

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return with_headers
