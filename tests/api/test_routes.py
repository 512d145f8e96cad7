"""The application has no route but those that declare who may call them, and each says so once."""

import re
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

import app
from app.access.scopes import Scope
from app.http.authorization import Access, declared_access
from app.http.openapi.swagger import router as swagger
from app.http.two_steps import SECOND_STEP, TwoSteps
from app.main import DOCUMENT, create_app
from app.rooms import ROUTERS
from app.settings import Settings

DECLARED = {name: one.access.scope for one in declared_access([*ROUTERS, swagger]) for name in one.names}
OPEN = {
    "GET /livez",
    "GET /readyz",
    "GET /docs",
    "GET /docs/assets/{name}",
    "GET /docs/refusals",
    "GET /docs/shown.json",
    "OPTIONS /v1/hooks/{hook_id}/deliveries",
    "POST /v1/hooks/{hook_id}/deliveries",
}
"""The last two ask for the sender's signature."""


def test_a_walk_over_all_routes_meets_those_that_are_declared_and_no_others() -> None:
    walked: dict[str, Scope | None] = {}
    frameworks = set()
    for context in iter_route_contexts(create_app(Settings(open_docs=True)).routes):
        names = {f"{method} {context.path}" for method in context.methods or ()}
        if not isinstance(context.original_route, APIRoute):
            frameworks |= names
            continue
        (access,) = [one.dependency for one in context.dependencies if isinstance(one.dependency, Access)]
        walked |= dict.fromkeys(names, access.scope)
    assert frameworks == {f"GET {DOCUMENT}", f"HEAD {DOCUMENT}"}
    assert walked == DECLARED
    assert {name for name, scope in walked.items() if scope is None} == OPEN


def test_a_route_that_names_no_scope_is_refused() -> None:
    router = APIRouter()
    router.add_api_route("/forgotten", lambda: None)
    with pytest.raises(ValueError, match="/forgotten"):
        declared_access([router])


def test_a_second_step_without_a_first_is_refused() -> None:
    router = APIRouter(prefix="/v1/nouns")
    router.add_api_route("/{noun_id}/content", lambda: None, methods=["PUT"], dependencies=[SECOND_STEP])
    with pytest.raises(ValueError, match="a second step without a first"):
        TwoSteps.of(route for route in router.routes if isinstance(route, APIRoute))


def test_what_every_request_passes_names_no_path_of_a_noun() -> None:
    """OpenAPI's made-up examples aside."""
    folder = Path(app.__file__).parent / "http"
    sources = [path for path in folder.rglob("*.py") if "openapi" not in path.parts]
    code = {path.name: re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL) for path in sources}
    assert [name for name, text in code.items() if "/v1/" in text] == []
