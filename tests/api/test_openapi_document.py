"""What Swagger UI says of every route, read from the OpenAPI document."""

from typing import Any

import pytest

from app.http.tags import TAGS
from app.main import create_app

DOCUMENT = create_app().openapi()
ROUTES = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]


def test_tags_stand_in_the_order_of_use() -> None:
    used = [operation["tags"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]

    assert DOCUMENT["tags"] == TAGS
    assert {tag for tags in used for tag in tags} == {tag["name"] for tag in TAGS}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_has_a_summary_and_a_description(method: str, path: str) -> None:
    operation: dict[str, Any] = DOCUMENT["paths"][path][method]

    assert operation["summary"]
    # The line on scopes is added to every route; it does not say when to use one.
    assert operation["description"].partition("Needs the scope")[0].strip()
    assert len(operation["tags"]) == 1


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] != "/livez"])
def test_a_route_says_how_it_may_fail(method: str, path: str) -> None:
    answers = DOCUMENT["paths"][path][method]["responses"]

    # /livez alone looks at nothing, so nothing can go wrong there.
    assert [status for status in answers if status.startswith(("4", "5"))]
