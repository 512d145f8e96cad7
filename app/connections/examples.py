"""Examples of ``/v1/connections``."""

from app.domain.problems.service import QUOTA
from app.http.openapi.example_form import BODY, JSON, PAGES, RouteExamples, codes, page
from app.http.openapi.example_ids import CONNECTION

_CONNECTION = {
    "id": CONNECTION,
    "name": "our MLflow",
    "kind": "mlflow",
    "url": "https://mlflow.example.com",
    "auth": "token",
    "created_at": "2026-11-30T02:01:04.180671Z",
    "updated_at": "2026-11-30T02:01:04.180671Z",
}
_UNKNOWN = {"not-found": "No such connection."}
_ADDRESS = codes("address-not-allowed")

ROUTES = {
    "POST /v1/connections": RouteExamples(
        requests={
            "MLflow with a token": {
                "name": "our MLflow",
                "kind": "mlflow",
                "url": "https://mlflow.example.com",
                "auth": {"token": "TOKEN_OF_THE_TRACKING_SERVER"},
            },
            "MLflow with a password": {
                "name": "their MLflow",
                "kind": "mlflow",
                "url": "https://mlflow.example.com/tracking",
                "auth": {"username": "auditor", "password": "a password"},
            },
            "The Hugging Face Hub": {
                "name": "the Hub",
                "kind": "huggingface",
                "url": "https://huggingface.co",
                "auth": {"token": "hf_..."},
            },
        },
        answers={201: {JSON: _CONNECTION}},
        problems=BODY | _ADDRESS | {"quota-exceeded": QUOTA.format(most=100, what="connections")},
    ),
    "GET /v1/connections": RouteExamples(answers={200: {JSON: page(_CONNECTION)}}, problems=PAGES),
    "GET /v1/connections/{connection_id}": RouteExamples(answers={200: {JSON: _CONNECTION}}, problems=_UNKNOWN),
    "PATCH /v1/connections/{connection_id}": RouteExamples(
        requests={"Another token": {"auth": {"token": "THE_NEXT_TOKEN"}}},
        answers={200: {JSON: _CONNECTION}},
        problems=_UNKNOWN | BODY | _ADDRESS,
    ),
    "POST /v1/connections/{connection_id}/test": RouteExamples(
        answers={
            200: {
                JSON: {
                    "works": False,
                    "checks": [
                        {"what": "the registry lists model versions", "works": True, "code": None, "detail": None},
                        {
                            "what": "the registry hands out files",
                            "works": False,
                            "code": "registry-failed",
                            "detail": "The registry answered HTTP 503.",
                        },
                    ],
                }
            }
        },
        problems=_UNKNOWN,
    ),
    "DELETE /v1/connections/{connection_id}": RouteExamples(problems=_UNKNOWN | codes("connection-in-use")),
}
