"""Under which path prefix a reverse proxy shows the API: ROOT_PATH, or what a trusted proxy says of itself."""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.links import set_prefix

HEADER = "x-forwarded-prefix"
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]{1,64}){1,8}")


class PathPrefix:
    """ASGI middleware. Routes never see the prefix, whether the proxy takes it off or leaves it on."""

    def __init__(self, app: ASGIApp, root_path: str, proxies: Iterable[str]) -> None:
        self._app = app
        self._root_path = root_path
        self._trusted = [ipaddress.ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            prefix = self._told(scope) or self._root_path
            set_prefix(prefix)
            if prefix and scope["path"].startswith(f"{prefix}/"):
                raw = scope["raw_path"]
                scope = {**scope, "path": scope["path"].removeprefix(prefix), "raw_path": raw[len(prefix) :]}
        await self._app(scope, receive, send)

    def _told(self, scope: Scope) -> str | None:
        """Anybody may send the header; it counts where a trusted proxy did."""
        said = Headers(scope=scope).get(HEADER, "").rstrip("/")
        return said if _PREFIX.fullmatch(said) and self._trusts(scope.get("client")) else None

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        try:
            address = ipaddress.ip_address(client[0] if client else "")
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
