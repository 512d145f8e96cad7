"""Whatever arrives gets a problem document: the right status, a stable code, no echo."""

import base64
import gzip
import hashlib
import json
from typing import Any

import httpx
import pytest

from app.errors import Unprocessable
from app.http.pagination import PageParams, encode_cursor
from tests.waiting import RECIPE

GOOD = RECIPE | {"name": "m"}
JSON = {"Content-Type": "application/json"}


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert {"type", "title", "detail"} <= problem.keys()
    return problem


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 200_000, 400, "malformed-json"),
        (b'{"name": ' + b"1" * 5000 + b"}", 400, "malformed-json"),
        (b'{"name": "\xff"}', 400, "malformed-json"),
        (b'\xef\xbb\xbf{"name": "a"}', 400, "malformed-json"),
        ('{"name": "a"}'.encode("utf-16"), 400, "malformed-json"),
        (b'{"name": NaN}', 400, "malformed-json"),
        (b'{"name": "a", "name": "b"}', 400, "malformed-json"),
        (b'{"name": "a\\u0000b"}', 422, "validation-error"),
        (b'{"name": "\\ud800"}', 422, "validation-error"),
        (b'{"name": "a", "extra": 1}', 422, "validation-error"),
        (b'{"name": ""}', 422, "validation-error"),
        (b"{}", 422, "validation-error"),
        (b"", 422, "validation-error"),
        (b"x" * 2_000_000, 413, "payload-too-large"),
    ],
)
def test_bad_json(service: httpx.Client, body: bytes, status: int, code: str) -> None:
    check_problem(service.post("/v1/datasets", content=body, headers=JSON), status, code)


def test_another_content_type(service: httpx.Client) -> None:
    answer = service.post("/v1/datasets", content=b"name=a", headers={"Content-Type": "text/plain"})
    check_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("codings", [["gzip"], ["gzip", "identity"], ["identity", "br"], ["identity, GZIP"]])
def test_a_compressed_body(service: httpx.Client, codings: list[str]) -> None:
    headers = [*JSON.items(), *(("Content-Encoding", coding) for coding in codings)]
    answer = service.post("/v1/datasets", content=gzip.compress(b'{"name": "a"}'), headers=headers)
    check_problem(answer, 415, "unsupported-content-encoding")
    url = service.post("/v1/datasets", json={"name": "d"}).json()["content_url"]
    answer = service.put(url, content=b"PK", headers=headers[1:])
    check_problem(answer, 415, "unsupported-content-encoding")


def test_no_echo_of_a_secret(service: httpx.Client) -> None:
    secret = "hunter2-hunter2"
    answer = service.post("/v1/models", json=GOOD | {"preprocessing": secret})
    check_problem(answer, 422, "validation-error")
    assert secret not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/v1/models/", 404, "not-found"),
        ("GET", "/v1/models/not-an-id", 404, "not-found"),
        ("GET", "/v1/audits/01a20000-0000-7000-8000-000000000000", 404, "not-found"),
        ("PATCH", "/v1/models", 405, "method-not-allowed"),
        ("OPTIONS", "/v1/models", 405, "method-not-allowed"),
        ("TRACE", "/v1/models", 405, "method-not-allowed"),
        ("POST", "/v1/datasets/", 404, "not-found"),
        ("GET", "/v1/models?limit=0", 422, "validation-error"),
        ("GET", "/v1/models?limit=-1", 422, "validation-error"),
        ("GET", "/v1/models?limit=1000000000", 422, "validation-error"),
        ("GET", "/v1/models?cursor=forged", 422, "invalid-cursor"),
        ("GET", "/v1/models?name=%00", 422, "validation-error"),
    ],
)
def test_bad_addresses(service: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    check_problem(service.request(method, path), status, code)


@pytest.mark.parametrize("path", ["/v1/models", "/livez", "/readyz", "/docs", "/openapi.json", "/v1/models/"])
def test_head_is_answered_as_get_is(service: httpx.Client, path: str) -> None:
    head, get = service.head(path), service.get(path)
    assert not head.content
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert head.headers.get("etag") == get.headers.get("etag")


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_numbers_in_a_cursor_that_no_column_holds(service: httpx.Client, number: int) -> None:
    dataset = service.post("/v1/datasets", json={"name": "d"}).json()["id"]
    answer = service.get(f"/v1/datasets/{dataset}/samples", params={"cursor": encode_cursor([number])})
    check_problem(answer, 422, "invalid-cursor")
    with pytest.raises(Unprocessable):
        PageParams(cursor=encode_cursor([0.5, number, 1])).after(3)


def test_a_cursor_that_was_cut(service: httpx.Client) -> None:
    for name in ("one", "two"):
        service.post("/v1/datasets", json={"name": name})
    cursor = service.get("/v1/datasets?limit=1").json()["next_cursor"]
    assert service.get("/v1/datasets", params={"cursor": cursor}).status_code == 200
    for length in range(1, len(cursor)):
        answer = service.get("/v1/datasets", params={"cursor": cursor[:length]})
        check_problem(answer, 422, "invalid-cursor")


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_no_other_origin_is_let_in(service: httpx.Client, method: str) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = service.request(method, "/v1/models", headers=headers)
    assert answer.status_code == (405 if method == "OPTIONS" else 200)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": "keras"}, "model-format-not-accepted"),
        ({"format": "torchscript"}, "model-format-not-accepted"),
        ({"architecture": None}, "architecture-required"),
        ({"class_names": ["a", "a"]}, "validation-error"),
        ({"preprocessing": GOOD["preprocessing"] | {"std": [0, 1, 1]}}, "validation-error"),
        ({"preprocessing": GOOD["preprocessing"] | {"input_size": 100_000}}, "validation-error"),
    ],
)
def test_bad_models(service: httpx.Client, change: dict[str, Any], code: str) -> None:
    check_problem(service.post("/v1/models", json=GOOD | change), 422, code)


class TestContent:
    @pytest.fixture
    def url(self, service: httpx.Client) -> str:
        url: str = service.post("/v1/datasets", json={"name": "d"}).json()["content_url"]
        return url

    def test_digest_is_checked(self, service: httpx.Client, url: str) -> None:
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        answer = service.put(url, content=b"PK\x05\x06" + bytes(18), headers={"Content-Digest": f"sha-256=:{wrong}:"})
        check_problem(answer, 422, "checksum-mismatch")
        assert service.get(url.removesuffix("/content")).json()["status"] == "awaiting_content"

    def test_no_archive(self, service: httpx.Client, url: str) -> None:
        check_problem(service.put(url, content=b"just text"), 415, "unsupported-media-type")

    def test_empty(self, service: httpx.Client, url: str) -> None:
        check_problem(service.put(url, content=b""), 422, "empty-body")

    def test_compressed(self, service: httpx.Client, url: str) -> None:
        answer = service.put(url, content=b"x", headers={"Content-Encoding": "gzip"})
        check_problem(answer, 415, "unsupported-content-encoding")

    def test_unknown_resource(self, service: httpx.Client) -> None:
        path = "/v1/datasets/01a20000-0000-7000-8000-000000000000/content"
        check_problem(service.put(path, content=b"x"), 404, "not-found")


def test_openapi_names_every_answer(service: httpx.Client) -> None:
    document = service.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
    json.dumps(document, allow_nan=False)


def test_health(service: httpx.Client) -> None:
    assert service.get("/livez").json() == {"status": "ok"}
    assert service.get("/readyz").json() == {"status": "ok"}
    text = service.get("/metrics").text
    assert 'salience_audit_audits{status="succeeded"}' in text
    assert "salience_audit_queue_depth" in text
