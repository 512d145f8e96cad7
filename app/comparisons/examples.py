"""Examples of ``/v1/comparisons``: the demo's two training strategies."""

from typing import Any

from app.http.openapi.example_form import BODY, FINISHED, JSON, ONCE, PAGES, RouteExamples, codes, page, recorded
from app.http.openapi.example_ids import AUDITS

COMPARISON: dict[str, Any] = recorded(__package__, "comparison.json")
_SUMMARY = {name: value for name, value in COMPARISON.items() if name != "results"}
_QUEUED = COMPARISON | {"status": "queued", "finished_at": None, "results": None}
_UNKNOWN = {"not-found": "No such comparison."}

ROUTES = {
    "POST /v1/comparisons": RouteExamples(
        requests={
            "Two training strategies": {"audit_ids": AUDITS, "name": "cross-entropy against human-guided"},
            "The models of one audit": {"audit_ids": AUDITS[:1], "by": "model"},
        },
        answers={202: {JSON: _QUEUED}},
        problems=ONCE
        | FINISHED
        | codes("scores-removed", "unknown-audits", "audits-differ", "too-few-sides", "too-many-sides"),
    ),
    "GET /v1/comparisons": RouteExamples(answers={200: {JSON: page(_SUMMARY)}}, problems=PAGES),
    "GET /v1/comparisons/{comparison_id}": RouteExamples(answers={200: {JSON: COMPARISON}}, problems=_UNKNOWN),
    "PATCH /v1/comparisons/{comparison_id}": RouteExamples(
        requests={"Another name": {"name": "plain against guided"}},
        answers={200: {JSON: COMPARISON | {"name": "plain against guided"}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/comparisons/{comparison_id}": RouteExamples(problems=_UNKNOWN | codes("comparison-running")),
}
