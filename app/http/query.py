"""Parameters of a query that no route has: a filter that is misspelt must not pass for one that matched everything."""

from difflib import get_close_matches
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute

from app.errors import Unprocessable
from app.http.failures import MAX_FIELD_PROBLEMS, redact
from app.http.guards.authentication import LINK

_known_of: dict[str, frozenset[str]] = {}


async def _pass_over() -> None:
    """Nobody reads them."""


ANY_QUERY: Any = Depends(_pass_over)
"""Of a route whose callers add parameters that mean something to them alone."""


async def refuse_unknown_parameters(request: Request) -> None:
    """A router's dependency. Raises Unprocessable ``validation-error`` naming each, but of a route with `ANY_QUERY`."""
    route = request.scope["route"]
    if ANY_QUERY in route.dependencies:
        return
    known = _known(route)
    if any(getattr(one.dependency, "by_link", False) for one in route.dependencies):
        known |= {LINK}
    unknown = sorted(set(request.query_params) - known)[:MAX_FIELD_PROBLEMS]
    if unknown:
        errors: list[dict[str, object]] = [
            {"loc": ["query", redact(name)[:100]], "msg": _way_out(name, known)} for name in unknown
        ]
        raise Unprocessable("validation-error", "The query has parameters that are unknown here.", errors=errors)


def _known(route: APIRoute) -> frozenset[str]:
    found = _known_of.get(route.unique_id)
    if found is None:
        fields = get_flat_params(route.dependant)
        found = frozenset(one.alias for one in fields if getattr(one.field_info, "in_", None) is ParamTypes.query)
        _known_of[route.unique_id] = found
    return found


def _way_out(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, known, 1)
    if near:
        return f"Unknown; did you mean {near[0]}?"
    return f"Unknown; there are {', '.join(sorted(known))}." if known else "Unknown; this takes none."
