"""``Accept`` as RFC 9110 reads it, with JSON for whoever asks for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.http.negotiation import chosen_form

OFFERS = ("text/csv", "application/x-ndjson", "image/png")
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
CHROME_IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


def chosen(*accept: str) -> str | None:
    headers = [(b"accept", one.encode("latin-1")) for one in accept]
    return chosen_form(Request({"type": "http", "headers": headers}), OFFERS)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/csv;q=0.5, image/png;q=0.7", "image/png"),
        ("text/csv;q=0.9, application/json;q=0.8", "text/csv"),
        ("application/pdf, text/csv;q=0.1", "text/csv"),
        ("text/*", "text/csv"),
        (CHROME_IMAGE, "image/png"),
        ('text/csv;note="a, b";q=0.4, */*;q=0.3', "text/csv"),
        ("text/csv ; Q=1.000", "text/csv"),
        ("text/csv, */*", "text/csv"),
        ("image/*, */*", "image/png"),
        ("text/*;q=0.5, */*;q=0.5, application/*;q=0.1", "text/csv"),
    ],
)
def test_another_form_where_it_is_liked_better(accept: str, form: str) -> None:
    assert chosen(accept) == form


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        CHROME,
        JAVA,
        "text/csv;q=0",
        "text/csv;q=0, */*",
        "text/*;q=0",
        "text/csv;q=0.000",
        "text/csv, application/json",
        "text/csv;q=0.4, */*;q=0.5",
        "application/json, text/csv;q=0.9",
        "text/csvx",
        "xtext/csv",
        "x-text/csv",
        "application/vnd.image/png",
        "application/pdf",
        "text",
        "*",
        "text/csv;q=nan",
        "text/csv;q=2",
        "text/csv;q=-1",
        "text/csv;q=",
        "text/csv;q=high",
        ",;,=;q",
        ";q=1",
    ],
)
def test_json_else(accept: str) -> None:
    assert chosen(accept) is None


def test_several_headers_are_one() -> None:
    assert chosen("application/json;q=0.2", "image/png") == "image/png"
    assert chosen() is None


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_header_is_read(accept: str) -> None:
    assert chosen(accept) in {None, *OFFERS}
