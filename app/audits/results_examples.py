"""Examples of what an audit that has succeeded answers: results, scores, maps, verdict and their other forms."""

from typing import Any

from app.http.openapi.example_form import BODY, FINISHED, JSON, PAGES, RouteExamples, codes, page, recorded

_UNKNOWN = {"not-found": "No such audit."}
_RESCORE: dict[str, Any] = recorded(__package__, "rescore.json")

ROUTES = {
    "GET /v1/audits/{audit_id}/results": RouteExamples(
        answers={200: {JSON: recorded(__package__, "results.json")}},
        problems=_UNKNOWN | FINISHED | codes("partial-too-large", "scores-removed", "validation-error"),
    ),
    "GET /v1/audits/{audit_id}/samples": RouteExamples(
        answers={
            200: {
                JSON: page(*recorded(__package__, "scores.json")),
                "text/csv": recorded(__package__, "scores.csv"),
                "application/x-ndjson": recorded(__package__, "scores.ndjson"),
            }
        },
        problems=PAGES | _UNKNOWN | codes("scores-removed", "unknown-view", "order-needs-one-view"),
    ),
    "GET /v1/audits/{audit_id}/samples/{sample_id}/map": RouteExamples(
        answers={200: {JSON: recorded(__package__, "map.json")}},
        problems={"not-found": "No such sample in this audit."}
        | codes("scores-removed", "maps-removed", "artifact-corrupted", "model-id-required", "validation-error")
        | {"unknown-view": "The audit has these views: clean, noise@0.05, flip_horizontal."},
    ),
    "GET /v1/audits/{audit_id}/verdict": RouteExamples(
        answers={
            200: {JSON: recorded(__package__, "verdict.json"), "application/xml": recorded(__package__, "verdict.xml")}
        },
        problems=FINISHED | {"not-found": "No such verdict: the audit names no gate."},
    ),
    "GET /v1/audits/{audit_id}/findings": RouteExamples(
        answers={200: {JSON: {"items": recorded(__package__, "results.json")["findings"]}}},
        problems=_UNKNOWN | FINISHED,
    ),
    "POST /v1/audits/{audit_id}/rescore": RouteExamples(
        requests={"By correlation": {"similarity": "cc"}},
        answers={202: {JSON: _RESCORE | {"status": "queued", "finished_at": None, "results": None}}},
        problems=_UNKNOWN
        | BODY
        | FINISHED
        | codes(
            "maps-not-kept",
            "scores-removed",
            "maps-removed",
            "maps-not-native",
            "maps-too-small",
            "nothing-to-rescore",
        ),
    ),
    "GET /v1/audits/{audit_id}/rescores/{similarity}": RouteExamples(
        answers={200: {JSON: _RESCORE}}, problems={"not-found": "No such rescoring."} | codes("validation-error")
    ),
    "GET /v1/audits/{audit_id}/views": RouteExamples(
        answers={202: {JSON: recorded(__package__, "view_archive.json")}},
        problems=_UNKNOWN
        | FINISHED
        | codes(
            "quota-exceeded",
            "views-failed",
            "scores-removed",
            "maps-removed",
            "model-id-required",
            "nothing-to-hand-out",
            "input-size-required",
            "map-set-not-ready",
            "views-too-large",
            "validation-error",
        ),
    ),
    "GET /v1/audits/{audit_id}/model-card": RouteExamples(
        answers={200: {"text/markdown": recorded(__package__, "model_card.md")}}, problems=_UNKNOWN | FINISHED
    ),
    "GET /v1/audits/{audit_id}/metrics": RouteExamples(
        answers={200: {JSON: recorded(__package__, "metrics.json")}}, problems=_UNKNOWN | FINISHED
    ),
}
