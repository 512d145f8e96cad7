"""Whether pages of other origins may call the API: none, unless CORS_ORIGINS names them."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

SENT = ("Authorization", "Content-Type", "Content-Digest", "Idempotency-Key", "If-None-Match", "Last-Event-ID")
READ = (
    "Location",
    "ETag",
    "X-Request-ID",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Content-Disposition",
    "Deprecation",
    "Sunset",
    "WWW-Authenticate",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REMEMBERED_SECONDS = 600


class Cors(CORSMiddleware):
    """ASGI middleware, before keys are asked for: a browser asks without one. Cookies are never let in.

    A stranger's origin gets what a request without an origin gets: no ``Access-Control-Allow-...``, no word of CORS.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        super().__init__(
            app,
            allow_origins=sorted(origins),
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
            max_age=REMEMBERED_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or not self.is_allowed_origin(origin):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
