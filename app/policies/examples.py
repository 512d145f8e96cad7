"""Examples of ``/v1/policies``."""

from typing import Any

from app.domain.problems.service import QUOTA
from app.domain.protocol import ProtocolRequest
from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, RouteExamples, codes, page
from app.http.openapi.example_ids import AUDITS, CONNECTION, DATASET, DELIVERY, GATE, HOOK, MODELS, POLICY, POLICY_RUN

_ASKED: dict[str, Any] = {
    "name": "every version of faces",
    "connection_id": CONNECTION,
    "match": {"model": "faces-*"},
    "dataset_id": DATASET,
    "sample_limit": 500,
    "gate": GATE,
    "baseline": "alias:champion",
    "run_group_tag": "recipe",
    "write_back": {"alias_on_pass": "audited"},
    "schedule": "0 3 * * 1",
}
_POLICY: dict[str, Any] = _ASKED | {
    "id": POLICY,
    "match": {"model": "faces-*", "events": ["model_version.created"], "tags": {}, "aliases": []},
    "protocol": ProtocolRequest().model_dump(mode="json"),
    "run_group_tag": "recipe",
    "write_back": {"tags": True, "alias_on_pass": "audited", "run": True, "pull_request": False},
    "schedule": "0 3 * * 1",
    "recurs_at": "2026-12-07T03:00:00Z",
    "created_at": "2026-11-30T02:01:06.180671Z",
}
_RUN: dict[str, Any] = {
    "id": POLICY_RUN,
    "model": "faces-small",
    "version": "7",
    "registered_at": "2026-11-30T02:04:08.912000Z",
    "stage": "done",
    "reason": "The version was given the alias audited, from version 6.",
    "outcome": "audited",
    "model_id": MODELS[0],
    "audit_id": AUDITS[0],
    "hook_id": HOOK,
    "created_at": "2026-11-30T02:04:09.180671Z",
    "updated_at": "2026-11-30T02:06:41.003114Z",
}
_BEGUN = {"stage": "importing", "reason": None, "outcome": None, "audit_id": None, "model_id": None}
_UNKNOWN = {"not-found": "No such policy."}
_NAMED = {"not-found": "No such data set."}

ROUTES = {
    "POST /v1/policies": RouteExamples(
        requests={"New versions against the champion": _ASKED},
        answers={201: {JSON: _POLICY}},
        problems=ONCE | _NAMED | {"quota-exceeded": QUOTA.format(most=100, what="policies")},
    ),
    "GET /v1/policies": RouteExamples(answers={200: {JSON: page(_POLICY)}}, problems=PAGES),
    "GET /v1/policies/{policy_id}": RouteExamples(answers={200: {JSON: _POLICY}}, problems=_UNKNOWN),
    "PATCH /v1/policies/{policy_id}": RouteExamples(
        requests={"Another gate, and more samples": {"gate": GATE, "sample_limit": 1000}},
        answers={200: {JSON: _POLICY | {"sample_limit": 1000}}},
        problems=BODY | _UNKNOWN,
    ),
    "POST /v1/policies/{policy_id}/test": RouteExamples(
        requests={"A delivery that arrived": {"hook_id": HOOK, "delivery_id": DELIVERY}},
        answers={
            200: {
                JSON: {
                    "matches": False,
                    "reason": "The model's name is not faces-*.",
                    "model": "digits",
                    "version": "3",
                }
            }
        },
        problems=BODY | _UNKNOWN,
    ),
    "GET /v1/policies/{policy_id}/runs": RouteExamples(answers={200: {JSON: page(_RUN)}}, problems=PAGES | _UNKNOWN),
    "POST /v1/policies/{policy_id}/runs/{run_id}/retry": RouteExamples(
        answers={202: {JSON: _RUN | _BEGUN}}, problems={"not-found": "No such run."} | codes("run-not-failed")
    ),
    "DELETE /v1/policies/{policy_id}": RouteExamples(problems=_UNKNOWN),
}
