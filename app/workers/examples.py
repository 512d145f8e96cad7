"""Examples of ``/v1/workers``."""

from app.http.openapi.example_form import JSON, PAGES, RouteExamples, page

_WORKER = {
    "name": "gpu-box/4711",
    "device_class": "gpu",
    "status": "present",
    "seen_at": "2026-11-25T13:33:20.123456Z",
}

ROUTES = {"GET /v1/workers": RouteExamples(answers={200: {JSON: page(_WORKER)}}, problems=PAGES)}
