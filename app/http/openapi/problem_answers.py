"""How routes answer when they refuse, as examples."""

from collections.abc import Mapping
from typing import Any

from app.http.openapi.problem_catalogue import ANYWHERE, CATALOGUE
from app.http.problems import problem_document

Json = dict[str, Any]

REQUEST_ID = "0f6d2c1b9a8e4d7f8c3b2a1908f7e6d5"

_ERRORS: dict[str, list[Json]] = {
    "architecture-required": [{"loc": ["body", "architecture"], "msg": "needed for this format"}],
    "audits-differ": [{"loc": ["body", "audit_ids", 1], "msg": "protocol.seed differs from the first audit's"}],
    "baseline-differs": [{"loc": ["body", "baseline_audit_id"], "msg": "seed differs"}],
    "validation-error": [{"loc": ["query", "limit"], "msg": "Input should be less than or equal to 1000"}],
}
_IN_A_BODY = [{"loc": ["body", "name"], "msg": "Field required"}]


def problem_examples(route: str, named: Mapping[str, str | None], status: int) -> dict[str, Json]:
    """By code: what a route that answers with this status says on purpose."""
    wanted = dict.fromkeys(ANYWHERE) | dict(named)
    return {code: {"value": _example(route, code, detail)} for code, detail in wanted.items() if _is(code, status)}


def _is(code: str, status: int) -> bool:
    return CATALOGUE[code][0] == status


def _example(route: str, code: str, detail: str | None) -> Json:
    status, usual = CATALOGUE[code]
    document = problem_document(status, code, detail or usual, REQUEST_ID)
    errors = _IN_A_BODY if code == "validation-error" and route.startswith("POST") else _ERRORS.get(code)
    return document if errors is None else document | {"errors": errors}
