"""Swagger UI works without a network and under a strict policy; every answer has its security headers."""

import re

import httpx
import pytest

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


def test_swagger_ui_loads_nothing_from_elsewhere(service: httpx.Client) -> None:
    page = service.get("/docs", headers={"Authorization": ""})
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].count("unsafe") == 1
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 6
    for address in addresses:
        assert address.startswith("/")
        answer = service.get(address, headers={"Authorization": ""})
        assert answer.status_code == 200
        assert answer.content
    # A page under this policy may hold no script of its own.
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []


def test_a_file_that_swagger_ui_has_not(service: httpx.Client) -> None:
    assert service.get("/docs/assets/..%2f..%2fapp%2fmain.py").status_code == 404
    assert service.get("/docs/assets/index.html").json()["code"] == "not-found"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/models", "private, no-cache"),
        ("/v1/models/no-uuid", "no-store"),
        ("/nowhere", "no-store"),
        ("/livez", "no-store"),
        ("/readyz", "no-store"),
    ],
)
def test_security_headers(service: httpx.Client, path: str, kept: str) -> None:
    answer = service.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers.get_list("cache-control") == [kept]
    assert ("etag" in answer.headers) == (kept != "no-store")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_no_cross_origin_use(service: httpx.Client) -> None:
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = service.options("/v1/audits", headers=asked)
    assert not [name for name in answer.headers if name.startswith("access-control")]
