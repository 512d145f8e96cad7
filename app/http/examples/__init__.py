"""Examples of every route for Swagger UI: a file a tag, and in ``answers/`` what a real run answered."""

from typing import Any

from app.http.examples import audits, comparisons, datasets, gates, models, operations, reports, results, run_groups
from app.http.examples.form import RouteExamples
from app.http.examples.problems import problem_examples
from app.http.problems import MEDIA_TYPE

Json = dict[str, Any]

ROUTES: dict[str, RouteExamples] = {
    route: examples
    for room in (models, datasets, run_groups, gates, audits, results, comparisons, reports, operations)
    for route, examples in room.ROUTES.items()
}


def add_examples(document: Json) -> Json:
    """Into an OpenAPI document, whose routes get those that stand here under their method and path."""
    for path, operations_ in document["paths"].items():
        for method, operation in operations_.items():
            route = f"{method.upper()} {path}"
            _add(operation, route, ROUTES.get(route, RouteExamples()))
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
