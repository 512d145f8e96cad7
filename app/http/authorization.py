"""What a request must be allowed to do: every route names it in its dependencies, and nothing else decides.

A route that names nothing is refused when the application is made (``declared_access``), so that none is open by
mistake.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from app.access.key_ring import Caller
from app.access.scopes import Scope
from app.errors import InsufficientScope
from app.settings import Settings


@dataclass(frozen=True)
class Access:
    """A dependency that lets a caller pass whose key has the scope; None: everybody, without a key."""

    scope: Scope | None
    open_setting: str | None = None
    """The setting that opens the route to everybody."""
    by_link: bool = False
    """A signed link may stand in for a key (app.access.links)."""

    async def __call__(self, request: Request) -> None:
        """On the loop: else every watcher of an audit took a thread to look at its own scopes."""
        if self.is_open(request.app.state.settings):
            return
        caller: Caller = request.state.caller
        if self.scope is not None and self.scope not in caller.scopes:
            raise InsufficientScope(self.scope)

    def is_open(self, settings: Settings) -> bool:
        return self.scope is None or (self.open_setting is not None and bool(getattr(settings, self.open_setting)))


OPEN: Any = Depends(Access(None))
READS: Any = Depends(Access(Scope.READ))
READS_BY_LINK: Any = Depends(Access(Scope.READ, by_link=True))
WRITES: Any = Depends(Access(Scope.WRITE))
READS_METRICS: Any = Depends(Access(Scope.METRICS, open_setting="open_metrics"))


@dataclass(frozen=True)
class RouteAccess:
    """What one route asks for."""

    route: APIRoute
    access: Access

    @property
    def names(self) -> Iterator[str]:
        """As the OpenAPI document has them: ``GET /v1/models``."""
        return (f"{method} {self.route.path}" for method in self.route.methods or ())


def declared_access(routers: Iterable[APIRouter]) -> list[RouteAccess]:
    """Of all routes. Raises ValueError for one that names no access, or several."""
    found = []
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        named = [d.dependency for d in route.dependencies if isinstance(d.dependency, Access)]
        if len(named) != 1:
            raise ValueError(f"The route {route.path} must name one access, not {len(named)}.")
        found.append(RouteAccess(route, named[0]))
    return found


@dataclass(frozen=True)
class OpenPaths:
    """The paths that authentication treats apart: open to all, and open to whoever holds a signed link."""

    open: tuple[tuple[re.Pattern[str], frozenset[str] | None], ...]
    """With the methods that are open, of a path that has others as well."""
    by_link: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, declared: Iterable[RouteAccess], settings: Settings, document: str) -> "OpenPaths":
        """``document`` is the framework's own route to the OpenAPI document: open."""
        routes = list(declared)
        framework = re.compile(f"^{re.escape(document)}$")
        guarded = {one.route.path_regex for one in routes if not one.access.is_open(settings)}
        opened = [one.route for one in routes if one.access.is_open(settings)]
        return cls(
            (
                (framework, None),
                *(
                    (route.path_regex, frozenset(route.methods or ()) if route.path_regex in guarded else None)
                    for route in opened
                ),
            ),
            tuple(one.route.path_regex for one in routes if one.access.by_link),
        )

    def is_open(self, method: str, path: str) -> bool:
        """Of a path that has guarded methods as well, the open ones alone."""
        return any(pattern.match(path) and (methods is None or method in methods) for pattern, methods in self.open)

    def opens_by_link(self, method: str, path: str) -> bool:
        """A link reads one report and nothing else."""
        return method in {"GET", "HEAD"} and any(pattern.match(path) for pattern in self.by_link)
