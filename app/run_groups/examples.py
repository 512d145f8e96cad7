"""Examples of ``/v1/run-groups``: three trainings of the demo's recipe."""

from app.http.openapi.example_form import BODY, JSON, ONCE, PAGES, RouteExamples, page, recorded

_GROUP = recorded(__package__, "run_group.json")
_UNKNOWN = {"not-found": "No such run group."}

ROUTES = {
    "POST /v1/run-groups": RouteExamples(
        requests={"Three trainings": {"name": _GROUP["name"], "model_ids": _GROUP["model_ids"]}},
        answers={201: {JSON: _GROUP}},
        problems=ONCE | {"unknown-models": None},
    ),
    "GET /v1/run-groups": RouteExamples(answers={200: {JSON: page(_GROUP)}}, problems=PAGES),
    "GET /v1/run-groups/{run_group_id}": RouteExamples(answers={200: {JSON: _GROUP}}, problems=_UNKNOWN),
    "PATCH /v1/run-groups/{run_group_id}": RouteExamples(
        requests={"In words": {"description": "Three seeds of the plain recipe."}},
        answers={200: {JSON: _GROUP | {"description": "Three seeds of the plain recipe."}}},
        problems=_UNKNOWN | BODY,
    ),
    "DELETE /v1/run-groups/{run_group_id}": RouteExamples(problems=_UNKNOWN | {"run-group-in-use": None}),
}
