"""Examples of ``/v1/model-history``."""

from app.http.openapi.example_form import JSON, RouteExamples, codes, recorded

ROUTES = {
    "GET /v1/model-history": RouteExamples(
        answers={200: {JSON: recorded(__package__, "history.json")}},
        problems={"not-found": "No such model."} | codes("validation-error"),
    ),
}
