"""Pieces of the OpenAPI document that the framework cannot infer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.http.authorization import RouteAccess
from app.http.links import link
from app.http.openapi.example_form import RouteExamples
from app.http.openapi.examples import add_examples
from app.http.problems import MEDIA_TYPE, problem_responses
from app.settings import Settings

RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself. A `multipart/form-data` body with one file in it is taken as well.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "RFC 9530: `sha-256=:BASE64:` of the body; checked where given.",
        }
    ],
}
API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "What `salience-audit keys create` printed, or the `api_key` in the data folder's `server.json`.",
}


def operation_id(route: APIRoute) -> str:
    """Such as ``models-create-model``: without the underscores that Swagger UI does not take in an address."""
    return "-".join((*map(str, route.tags), route.name)).replace("_", "-").replace(" ", "-")


def install_openapi(app: FastAPI, declared: Sequence[RouteAccess], examples: Mapping[str, RouteExamples]) -> None:
    """Errors are problem documents and nothing else, as install_handlers makes them; most requests need a key.

    ``declared`` is what each route asks for; ``examples`` are by method and path.
    """
    framework_document = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = _without_unused(_with_problems(_with_items(framework_document())))
            document = _with_keys(found, declared, app.state.settings)
            app.openapi_schema = add_examples(document, examples)
        return app.openapi_schema | {"servers": [{"url": link("") or "/"}]}

    app.openapi = document  # type: ignore[method-assign]


def _with_items(part: Any) -> Any:
    """Tuples of one kind of part in the words that generators and linters of OpenAPI know: ``items``."""
    if isinstance(part, list):
        return [_with_items(one) for one in part]
    if not isinstance(part, dict):
        return part
    kinds = part.get("prefixItems")
    if isinstance(kinds, list) and kinds and all(kind == kinds[0] for kind in kinds):
        part = {name: value for name, value in part.items() if name != "prefixItems"} | {"items": kinds[0]}
    return {name: _with_items(value) for name, value in part.items()}


def _with_keys(document: dict[str, Any], declared: Sequence[RouteAccess], settings: Settings) -> dict[str, Any]:
    """What each route asks for (app.http.authorization)."""
    document["components"]["securitySchemes"] = {"api_key": API_KEY}
    scopes = {name: one.access.scope for one in declared if not one.access.is_open(settings) for name in one.names}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = scopes.get(f"{method.upper()} {path}")
            if scope is None:
                continue
            operation["security"] = [{"api_key": []}]
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{scope}`.".lstrip()
            for status in (401, 403, 429):
                operation["responses"][str(status)] = _problem_answer(status)
    return document


def _problem_answer(status: int) -> dict[str, Any]:
    answer = problem_responses(status)[status]
    return {name: answer[name] for name in ("description", "content")}


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            # Headers that are too large, and a body that does not come.
            for status in (431, 408) if "requestBody" in operation else (431,):
                answers[str(status)] = _problem_answer(status)
            for status in [status for status in answers if status.isdecimal() and int(status) >= 400]:
                if MEDIA_TYPE in answers[status].get("content", {}):
                    answers[status]["content"] = {MEDIA_TYPE: answers[status]["content"][MEDIA_TYPE]}
                else:
                    del answers[status]
    return document


def _without_unused(document: dict[str, Any]) -> dict[str, Any]:
    """Schemas that nothing refers to: of answers that were taken out, and of types that are described by hand."""
    schemas = document["components"]["schemas"]
    while unused := schemas.keys() - {name for part in (document["paths"], schemas) for name in _named(part)}:
        for name in unused:
            del schemas[name]
    return document


def _named(part: Any) -> Iterator[str]:
    """The schemas that a part of the document refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].rpartition("/")[2]
        for one in part.values():
            yield from _named(one)
    elif isinstance(part, list):
        for one in part:
            yield from _named(one)
