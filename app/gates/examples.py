"""Examples of ``/v1/gates``."""

from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, RouteExamples, page, recorded

_GATE = recorded(__package__, "gate.json")
_UNKNOWN = {"not-found": "No such gate."}

ROUTES = {
    "POST /v1/gates": RouteExamples(
        requests={
            "Limits of its own": {
                "name": "release",
                "conditions": [
                    "entropy.spatial.mean <= 0.85",
                    "stability.mean >= 0.8 (missing ok)",
                    "geometric_resilience.shifts[worst label].ci95_low >= 0.5 (warn)",
                    "performance.clean.accuracy >= 0.9",
                ],
            },
            "Against a baseline audit": {
                "name": "no worse than what we ship",
                "conditions": [
                    "noise_reaction.mean not worse than baseline by more than 0.02 (ci)",
                    "stability.mean not worse than baseline (missing ok)",
                ],
            },
        },
        answers={201: {JSON: _GATE}},
        problems=ONCE,
    ),
    "GET /v1/gates": RouteExamples(answers={200: {JSON: page(_GATE)}}, problems=PAGES),
    "GET /v1/gates/{gate_id}": RouteExamples(answers={200: {JSON: _GATE}}, problems=_UNKNOWN),
    "PATCH /v1/gates/{gate_id}": RouteExamples(
        requests={"Another name": {"name": "release 2027"}},
        answers={200: {JSON: _GATE | {"name": "release 2027"}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/gates/{gate_id}": RouteExamples(problems=_UNKNOWN),
}
