"""What Swagger UI says of every route, read from the OpenAPI document."""

import json
import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.domain import problems
from app.domain.problems.problem_type import ProblemType
from app.http.openapi.example_form import JSON
from app.http.openapi.example_ids import DATASET
from app.http.openapi.problem_catalogue import ANYWHERE, CATALOGUE
from app.http.openapi.shown import refusals_page, shown
from app.http.problems import MEDIA_TYPE
from app.rooms import EXAMPLES, TAGS
from tests.api.running_api import Api
from tests.api_document import api_document

DOCUMENT = api_document()
ROUTES = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]
METHODS = {"delete", "get", "patch", "post", "put"}
MADE_UP = DATASET[:24]
PICTURES_AND_FILES = {
    "image/png",
    "image/svg+xml",
    "text/html",
    "application/vnd.apache.parquet",
    "application/zip",
    "image/*",
}


def operation_of(method: str, path: str) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][path][method]
    return operation


def check_fits(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def test_tags_stand_in_the_order_of_use() -> None:
    used = [operation["tags"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]

    assert DOCUMENT["tags"] == TAGS
    assert {tag for tags in used for tag in tags} == {tag["name"] for tag in TAGS}


def test_what_is_shown_refers_to_its_schemas_alone() -> None:
    """`start.js` resolves no other references, and lets no path give its operations parameters."""
    document = shown(DOCUMENT, "/docs/refusals")
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(document)))
    assert references
    assert references <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert {key for operations in document["paths"].values() for key in operations} <= METHODS
    assert "security" not in document


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_has_a_summary_and_says_when_to_use_it(method: str, path: str) -> None:
    operation = operation_of(method, path)

    assert operation["summary"]
    # The line on scopes is added to every route; it does not say when to use one.
    assert len(operation["description"].partition("Needs the scope")[0].split()) >= 10
    assert len(operation["tags"]) == 1


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_befalls_any_request_is_documented(method: str, path: str) -> None:
    operation = operation_of(method, path)

    assert "431" in operation["responses"]
    assert ("408" in operation["responses"]) == ("requestBody" in operation)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_parameters_are_described(method: str, path: str) -> None:
    parameters = operation_of(method, path).get("parameters", [])

    assert [parameter["name"] for parameter in parameters if not parameter.get("description")] == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_made_up_ids_are_called_so(method: str, path: str) -> None:
    """Or whoever tries a body as it stands wonders at its 404; the line says where real ones are."""
    operation = operation_of(method, path)
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    lines = [line for line in operation["description"].split("\n\n") if "ids are made up: put" in line]

    assert len(lines) == (MADE_UP in json.dumps(body.get("examples")))
    assert all("`GET /v1/" in line for line in lines)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_bodies_have_examples_that_fit(method: str, path: str) -> None:
    content = operation_of(method, path).get("requestBody", {}).get("content", {})
    for kind, body in content.items():
        if kind == JSON:
            assert body["examples"]
            for example in body["examples"].values():
                check_fits(example["value"], body["schema"])
        else:
            assert (kind, body["schema"]) == ("application/octet-stream", {"type": "string", "format": "binary"})


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_answers_have_examples_that_fit(method: str, path: str) -> None:
    """Where one is missing, the room's examples.py wants an entry for the route."""
    answers = operation_of(method, path)["responses"]
    for status, answer in answers.items():
        for kind, content in answer.get("content", {}).items() if status.startswith("2") else ():
            if kind not in PICTURES_AND_FILES:
                assert content["example"], (status, kind)
                check_fits(content["example"], content.get("schema", {}))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_says_how_it_may_fail(method: str, path: str) -> None:
    answers = operation_of(method, path)["responses"]
    failures = {int(status): answer for status, answer in answers.items() if status.startswith(("4", "5"))}

    assert failures
    for status, answer in failures.items():
        examples = answer["content"][MEDIA_TYPE]["examples"]
        assert examples, status
        for code, example in examples.items():
            assert (example["value"]["status"], example["value"]["code"]) == (status, code)
            check_fits(example["value"], {"$ref": "#/components/schemas/Problem"})


@pytest.mark.parametrize("route", EXAMPLES)
def test_every_example_is_shown(route: str) -> None:
    method, _, path = route.partition(" ")
    statuses = set(map(int, operation_of(method.lower(), path)["responses"]))
    assert {CATALOGUE[code][0] for code in EXAMPLES[route].problems} <= statuses
    assert set(EXAMPLES[route].answers) <= statuses


def test_no_module_of_the_code_is_named() -> None:
    assert re.findall(r"`(?:app|worker)\.[\w.]+`", json.dumps(DOCUMENT)) == []


def test_the_catalogue_has_all_reasons_to_refuse_a_request() -> None:
    modules = [import_module(f"app.domain.problems.{found.name}") for found in iter_modules(problems.__path__)]
    own = {value.code for module in modules for value in vars(module).values() if isinstance(value, ProblemType)}
    assert own - set(CATALOGUE) == set()


def test_no_route_says_again_what_the_catalogue_says() -> None:
    said = [
        (route, code) for route, examples in EXAMPLES.items() for code, detail in examples.problems.items() if detail
    ]
    assert [one for one in said if EXAMPLES[one[0]].problems[one[1]] == CATALOGUE[one[1]][1]] == []


def test_every_code_of_the_catalogue_is_shown() -> None:
    named = {code for examples in EXAMPLES.values() for code in examples.problems}
    shown = {
        code
        for method, path in ROUTES
        for answer in operation_of(method, path)["responses"].values()
        for code in answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    }
    assert named <= shown == set(CATALOGUE)


def test_people_are_shown_an_example_a_refusal_and_a_page_of_all() -> None:
    page, document = refusals_page(DOCUMENT), shown(DOCUMENT, "/refusals")
    for method, path in ROUTES:
        whole, short = operation_of(method, path), document["paths"][path][method]
        address = f"#{whole['operationId']}"
        assert short["description"].endswith(f"[All refusals](/refusals{address})")
        assert f'id="{address[1:]}"' in page
        for status, answer in whole["responses"].items():
            codes = set(answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))
            own = codes - set(ANYWHERE)
            left = short["responses"].get(status, {}).get("content", {}).get(MEDIA_TYPE, {})
            assert ("example" in left) == bool(own)
            assert not own or left["example"]["code"] in own
            assert all(f"<code>{code}</code>" in page for code in codes)


def test_openapi_describes_every_answer(api: Api) -> None:
    from openapi_spec_validator import validate

    document = api.client.get("/openapi.json").json()
    validate(document)
    json.dumps(document, allow_nan=False)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["tags"], path
            errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors.values()), path
