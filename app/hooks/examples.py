"""Examples of ``/v1/hooks``."""

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, PAGES, RouteExamples, codes, page
from app.http.openapi.example_ids import AUDITS, CONNECTION, DELIVERY, HOOK, MODELS

_HOOK = {
    "id": HOOK,
    "name": "new versions",
    "kind": "mlflow",
    "connection_id": CONNECTION,
    "mapping": None,
    "url": f"https://salience.example.com/v1/hooks/{HOOK}/deliveries",
    "previous_secret_until": None,
    "failing_since": None,
    "refused_since": None,
    "created_at": "2026-11-30T02:01:05.180671Z",
}
_SECRET = {"secret": "5f0c2a97d1e84b63a7c95e1f02d8b64c5f0c2a97d1e84b63a7c95e1f02d8b64c"}
_DELIVERY = {
    "id": DELIVERY,
    "received_at": "2026-11-30T02:04:09.180671Z",
    "event": "model_version.created",
    "outcome": "audited",
    "reason": None,
    "model_id": MODELS[0],
    "audit_id": AUDITS[0],
}
_UNKNOWN = {"not-found": "No such hook."}

ROUTES = {
    "POST /v1/hooks": RouteExamples(
        requests={
            "MLflow's": {"name": "new versions", "kind": "mlflow", "connection_id": CONNECTION},
            "CloudEvents, as Azure's Event Grid sends them": {
                "name": "registered in Azure",
                "kind": "cloudevents",
                "connection_id": CONNECTION,
                "mapping": {
                    "name": "/data/ModelName",
                    "version": "/data/ModelVersion",
                    "only": {"/type": "*ModelRegistered"},
                    "proof": "bearer",
                },
            },
        },
        answers={201: {JSON: _HOOK | _SECRET}},
        problems=BODY | {"not-found": "No such connection.", "quota-exceeded": QUOTA.format(most=100, what="hooks")},
    ),
    "GET /v1/hooks": RouteExamples(answers={200: {JSON: page(_HOOK)}}, problems=PAGES),
    "GET /v1/hooks/{hook_id}": RouteExamples(answers={200: {JSON: _HOOK}}, problems=_UNKNOWN),
    "POST /v1/hooks/{hook_id}/rotate": RouteExamples(
        requests={"With an hour to change over": {"grace_seconds": 3600}},
        answers={200: {JSON: _HOOK | _SECRET | {"previous_secret_until": "2026-11-30T03:01:05Z"}}},
        problems=_UNKNOWN | BODY | codes("encryption-keys-missing"),
    ),
    "DELETE /v1/hooks/{hook_id}": RouteExamples(problems=_UNKNOWN),
    "POST /v1/hooks/{hook_id}/deliveries": RouteExamples(
        answers={202: {JSON: {"delivery_id": DELIVERY, "status": "pending"}}},
        problems=codes("malformed-json", "unsupported-media-type", "unsupported-content-encoding")
        | {"unauthenticated": "The delivery has no signature of this hook's secret, or an old one."},
    ),
    "GET /v1/hooks/{hook_id}/deliveries": RouteExamples(
        answers={200: {JSON: page(_DELIVERY)}}, problems=PAGES | _UNKNOWN
    ),
    "POST /v1/hooks/{hook_id}/deliveries/{delivery_id}/replay": RouteExamples(
        answers={202: {JSON: _DELIVERY | {"outcome": "pending"}}},
        problems={"not-found": "No such delivery."} | codes("delivery-under-way"),
    ),
}
