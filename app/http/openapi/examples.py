"""Puts the examples of every route, which stand in the nouns' own rooms, into the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from app.http.openapi.example_form import RouteExamples
from app.http.openapi.problem_answers import problem_examples
from app.http.problems import MEDIA_TYPE

Json = dict[str, Any]


def add_examples(document: Json, examples: Mapping[str, RouteExamples]) -> Json:
    """Into an OpenAPI document; ``examples`` are by method and path, such as ``GET /v1/models``."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            _add(operation, route, examples.get(route, RouteExamples()))
    return document


def _add(operation: Json, route: str, examples: RouteExamples) -> None:
    if examples.requests:
        content = operation["requestBody"]["content"]["application/json"]
        content["examples"] = {title: {"value": value} for title, value in examples.requests.items()}
    for status, answers in examples.answers.items():
        for kind, value in answers.items():
            operation["responses"][str(status)]["content"][kind]["example"] = value
    for status, answer in operation["responses"].items():
        if MEDIA_TYPE in answer.get("content", {}):
            answer["content"][MEDIA_TYPE]["examples"] = problem_examples(route, examples.problems, int(status))
