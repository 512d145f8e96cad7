"""Schemathesis over the whole API, with all its checks: no 5xx, no answer that the OpenAPI document does not name."""

import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok

from app.http.problems import MEDIA_TYPE
from app.main import create_app
from app.settings import Settings
from tests.api_document import api_document
from tests.waiting import PATIENCE_SECONDS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))


# A request may fit the schema and name what is not there, or hold a cursor that is none: 422 says so.
ACCEPTED = ["2xx", "401", "403", "404", "409", "415", "422", "429"]
CHECKS = {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}


# A stream of events has no end that a check could wait for.
LABELS = [
    f"{method.upper()} {path}"
    for path, methods in api_document()["paths"].items()
    for method in methods
    if not path.endswith("/events")
]


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """By method and path."""
    config = schemathesis.Config.from_dict({"checks": CHECKS})
    document = create_app(Settings(open_metrics=True)).openapi()  # as they are on loopback
    found = list(schemathesis.openapi.from_dict(document, config=config).get_all_operations())
    assert all(isinstance(result, Ok) for result in found)
    return {result.ok().label: result.ok() for result in found if isinstance(result, Ok)}


def _shown_codes(operation: Any, status: int) -> set[str]:
    """Those of the examples of problems."""
    return set(operation.definition.raw["responses"][str(status)]["content"][MEDIA_TYPE]["examples"])


@pytest.mark.parametrize("label", LABELS)
def test_the_contract(label: str, operations: dict[str, Any], service: httpx.Client) -> None:
    operation = operations[label]

    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    def check(case: Case[Any]) -> None:
        key = {"Authorization": service.headers["Authorization"]}
        answer = case.call_and_validate(base_url=str(service.base_url), headers=key, timeout=PATIENCE_SECONDS)
        if answer.status_code >= 400:
            assert answer.json()["code"] in _shown_codes(operation, answer.status_code), answer.text

    check()
