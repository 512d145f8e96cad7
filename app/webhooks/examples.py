"""Examples of ``/v1/webhooks``."""

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, PAGES, RouteExamples, codes, page, recorded

_WEBHOOK = recorded(__package__, "webhook.json")
_DELIVERY = recorded(__package__, "delivery.json")
_QUEUED = _DELIVERY | {
    "status": "pending",
    "attempts": [],
    "finished_at": None,
    "next_attempt_at": "2026-11-30T01:45:05Z",
}
_SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_UNKNOWN = {"not-found": "No such webhook."}
_ADDRESS = codes("address-not-allowed")
_KEYS = codes("encryption-keys-missing")

ROUTES = {
    "POST /v1/webhooks": RouteExamples(
        requests={
            "A CI system of yours": {
                "url": "https://ci.example.com/salience",
                "events": ["audit.succeeded", "gate.failed"],
            },
            "A channel": {
                "url": "https://hooks.slack.com/services/T000/B000/XXXX",
                "events": ["gate.failed", "gate.inconclusive", "regression.found"],
                "format": "slack",
            },
        },
        answers={201: {JSON: _WEBHOOK | _SECRET}},
        problems=BODY | _ADDRESS | _KEYS | {"quota-exceeded": QUOTA.format(most=20, what="webhooks")},
    ),
    "GET /v1/webhooks": RouteExamples(answers={200: {JSON: page(_WEBHOOK)}}, problems=PAGES | _KEYS),
    "GET /v1/webhooks/{webhook_id}": RouteExamples(answers={200: {JSON: _WEBHOOK}}, problems=_UNKNOWN | _KEYS),
    "PATCH /v1/webhooks/{webhook_id}": RouteExamples(
        requests={"Taken up again": {"enabled": True}},
        answers={200: {JSON: _WEBHOOK}},
        problems=_UNKNOWN | BODY | _ADDRESS,
    ),
    "DELETE /v1/webhooks/{webhook_id}": RouteExamples(problems=_UNKNOWN),
    "POST /v1/webhooks/{webhook_id}/test": RouteExamples(
        answers={202: {JSON: _QUEUED}}, problems=_UNKNOWN | codes("webhook-disabled")
    ),
    "POST /v1/webhooks/{webhook_id}/rotate": RouteExamples(
        requests={"With an hour to change over": {"grace_seconds": 3600}},
        answers={200: {JSON: _WEBHOOK | _SECRET | {"previous_secret_until": "2026-11-30T02:45:04Z"}}},
        problems=_UNKNOWN | BODY | _KEYS,
    ),
    "GET /v1/webhooks/{webhook_id}/deliveries": RouteExamples(
        answers={200: {JSON: page(_DELIVERY)}}, problems=_UNKNOWN | PAGES
    ),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": RouteExamples(
        answers={202: {JSON: _QUEUED}},
        problems={"not-found": "No such delivery."} | codes("webhook-disabled"),
    ),
}
