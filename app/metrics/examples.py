"""Examples of what whoever runs the service asks."""

from prometheus_client import CONTENT_TYPE_LATEST

from app.http.openapi.example_form import JSON, RouteExamples, codes, recorded

_OK = {200: {JSON: {"status": "ok"}}}

ROUTES = {
    "GET /livez": RouteExamples(answers=_OK),
    "GET /readyz": RouteExamples(answers=_OK, problems=codes("broker-unavailable", "storage-unavailable")),
    "GET /metrics": RouteExamples(
        answers={200: {CONTENT_TYPE_LATEST: recorded(__package__, "metrics.txt")}},
        problems={"insufficient-scope": "The key lacks the scope metrics:read."},
    ),
}
