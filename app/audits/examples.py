"""Examples of ``/v1/audits``: asked for, watched, ended."""

from typing import Any

from app.domain.problems.audits import STILL_LIVE
from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, RouteExamples, codes, page, recorded
from app.http.openapi.example_ids import AUDITS, DATASET, GATE, MODELS, RUN_GROUP

AUDIT: dict[str, Any] = recorded(__package__, "audit.json")
_QUEUED = AUDIT | {
    "status": "queued",
    "progress": {"done": 0, "total": 64, "unit": "samples", "samples_per_second": None, "eta_seconds": None},
    **dict.fromkeys(("verdict", "conditions", "started_at", "finished_at")),
}
_CANCELLED = _QUEUED | {"status": "cancelled", "finished_at": AUDIT["finished_at"]}

_QUICK = {"dataset_id": DATASET, "model_ids": [MODELS[0]], "sample_limit": 32, "name": "a first look"}
_GROUP = {"dataset_id": DATASET, "run_group_id": RUN_GROUP, "name": "three trainings, everything"}
_CHOSEN = {
    "dataset_id": DATASET,
    "model_ids": MODELS[:2],
    "protocol": {
        "seed": 7,
        "salience": {"method": "layercam", "target": "label"},
        "measures": {"entropy": {}, "noise_reaction": {"amount": 0.1, "curve": []}, "stability": {}},
    },
}
_METHODS = {
    "dataset_id": DATASET,
    "model_ids": [MODELS[0]],
    "protocol": {
        "salience": {"methods": ["gradcam", "layercam"]},
        "measures": {"entropy": {}, "agreement": {}},
    },
}
_GATED = {"dataset_id": DATASET, "model_ids": [MODELS[0]], "gate_id": GATE, "baseline_audit_id": AUDITS[0]}

_UNKNOWN = {"not-found": "No such audit."}
_REFUSED = {"not-found": "No such run group."} | codes(
    "unknown-models",
    "unknown-map-sets",
    "map-set-not-ready",
    "map-set-of-another-dataset",
    "frames-differ",
    "input-sizes-differ",
    "maps-of-other-images",
    "measure-needs-model",
    "unknown-dataset",
    "model-not-ready",
    "model-not-probed",
    "model-not-as-described",
    "dataset-not-ready",
    "stability-needs-two-models",
    "agreement-needs-two-methods",
    "sanity-needs-weights",
    "map-sizes-differ",
    "no-view-exists",
    "model-classes-differ",
    "target-out-of-range",
    "labels-do-not-meet-classes",
    "target-layer-not-found",
    "cam-method-not-possible",
    "unknown-split",
    "unknown-group",
    "too-many-groups",
)
_GATE_REFUSED = codes(
    "unknown-gate",
    "gate-needs-baseline",
    "gate-needs-map-sets",
    "unknown-baseline",
    "baseline-differs",
    "baseline-not-finished",
)

ROUTES = {
    "POST /v1/audits": RouteExamples(
        requests={
            "A first look at one model": _QUICK,
            "A run group, all five measures": _GROUP,
            "Chosen measures and method": _CHOSEN,
            "One model under two methods": _METHODS,
            "Judged by a gate": _GATED,
        },
        answers={202: {JSON: _QUEUED}},
        problems=ONCE
        | _REFUSED
        | _GATE_REFUSED
        | {"quota-exceeded": QUOTA.format(most=20, what="audits that are queued or running")},
    ),
    "POST /v1/audits:estimate": RouteExamples(
        requests={"One model": _QUICK, "A run group, all five measures": _GROUP},
        answers={200: {JSON: recorded(__package__, "estimate.json")}},
        problems=BODY | _REFUSED,
    ),
    "GET /v1/audits": RouteExamples(answers={200: {JSON: page(AUDIT)}}, problems=PAGES),
    "GET /v1/audits/{audit_id}": RouteExamples(answers={200: {JSON: AUDIT}}, problems=_UNKNOWN),
    "GET /v1/audits/{audit_id}/events": RouteExamples(
        answers={200: {"text/event-stream": recorded(__package__, "events.txt")}},
        problems=_UNKNOWN | codes("validation-error"),
    ),
    "POST /v1/audits/{audit_id}/cancel": RouteExamples(answers={202: {JSON: _CANCELLED}}, problems=_UNKNOWN),
    "PATCH /v1/audits/{audit_id}": RouteExamples(
        requests={"What it was for": {"description": "Before the release of March.", "tags": ["release"]}},
        answers={200: {JSON: AUDIT | {"description": "Before the release of March.", "tags": ["release"]}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/audits/{audit_id}": RouteExamples(
        problems=_UNKNOWN | {STILL_LIVE.code: STILL_LIVE.detail(status="running")}
    ),
    "GET /v1/protocols": RouteExamples(answers={200: {JSON: recorded(__package__, "protocols.json")}}),
}
