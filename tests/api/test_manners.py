"""HTTP as clients and proxies have it at their defaults."""

import gzip
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.running_api import Api, check_problem

ORIGIN = "https://ml.example.com"
FORM = {"Content-Type": "multipart/form-data; boundary=B"}
FILE = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nPK\r\n--B--\r\n'


@pytest.fixture(scope="module")
def open_api(start_api: Callable[..., Api], broker_url: str) -> Api:
    """It lets pages of one origin in."""
    return start_api(broker_url, CORS_ORIGINS=ORIGIN, TRUSTED_PROXIES="127.0.0.0/8", ROOT_PATH="/quiet")


class TestTwoSteps:
    @pytest.mark.parametrize(
        ("content", "headers"),
        [(FILE, FORM), (b"PK" + bytes(5_000_000), {}), (b'{"a": 1}', {"Content-Type": "application/json"})],
    )
    def test_a_file_that_is_posted(self, api: Api, content: bytes, headers: dict[str, str]) -> None:
        """To the address that it is to be put to: nobody reads it first."""
        answer = api.client.post(api.register("datasets")["content_url"], content=content, headers=headers)
        detail = check_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "PUT"
        assert "POST /v1/datasets with JSON" in detail
        assert "then PUT the file" in detail

    def test_a_form_instead_of_a_registration(self, api: Api) -> None:
        detail = check_problem(api.client.post("/v1/models", content=FILE, headers=FORM), 415, "unsupported-media-type")
        assert "POST /v1/models with JSON" in detail
        assert "content_url" in detail

    @pytest.mark.parametrize("collection", ["models", "datasets"])
    def test_a_registration_instead_of_a_file(self, api: Api, collection: str) -> None:
        answer = api.client.put(api.register(collection)["content_url"], json={"name": "x"})
        assert f"POST /v1/{collection} with JSON" in check_problem(answer, 415, "unsupported-media-type")


class TestQueries:
    @pytest.mark.parametrize("path", ["/v1/models", "/v1/datasets", "/v1/audits", "/v1/gates", "/livez"])
    def test_unknown_parameters(self, api: Api, path: str) -> None:
        answer = api.client.get(path, params={"limt": 3})
        check_problem(answer, 422, "validation-error")
        assert [fault["loc"] for fault in answer.json()["errors"]] == [["query", "limt"]]

    def test_the_right_name_is_told(self, api: Api) -> None:
        [fault] = api.client.get("/v1/models?limt=3").json()["errors"]
        assert fault["msg"] == "Unknown; did you mean limit?"


class TestKnownAnswers:
    def test_what_is_known_is_not_sent_again(self, api: Api) -> None:
        first = api.client.get("/v1/protocols")
        assert first.headers["cache-control"] == "private, no-cache"
        tag = first.headers["etag"]
        for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = api.client.get("/v1/protocols", headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert api.client.get("/v1/protocols", headers={"If-None-Match": '"other"'}).json() == first.json()

    def test_what_changed_is(self, api: Api) -> None:
        tag = api.client.get("/v1/gates").headers["etag"]
        api.client.post("/v1/gates", json={"name": "g", "conditions": ["entropy.spatial.mean <= 0.9"]})
        assert api.client.get("/v1/gates", headers={"If-None-Match": tag}).status_code == 200

    def test_errors_have_none(self, api: Api) -> None:
        assert "etag" not in api.client.get("/v1/nothing").headers


def test_json_is_compressed_for_whoever_takes_it(api: Api) -> None:
    plain = api.client.get("/v1/protocols", headers={"Accept-Encoding": "identity"})
    with api.client.stream("GET", "/v1/protocols", headers={"Accept-Encoding": "gzip"}) as packed:
        content = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(content) == plain.content
    assert len(content) < len(plain.content) / 2
    assert packed.headers["etag"] == plain.headers["etag"]


class TestOrigins:
    def test_a_page_that_may(self, open_api: Api) -> None:
        asked = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, idempotency-key",
        }
        url = f"http://127.0.0.1:{open_api.port}/v1/datasets"
        preflight = httpx.options(url, headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
        answer = open_api.client.get("/v1/datasets", headers={"Origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "location" in answer.headers["access-control-expose-headers"].lower()
        assert "access-control-allow-credentials" not in answer.headers
        # An error is readable as well, or a page could not tell why.
        assert httpx.get(url, headers={"Origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN

    def test_any_other_page(self, open_api: Api) -> None:
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        for answer in (
            httpx.options(f"http://127.0.0.1:{open_api.port}/v1/datasets", headers=asked),
            open_api.client.get("/v1/datasets", headers=asked),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")]


class TestPrefix:
    def test_of_a_setting(self, open_api: Api) -> None:
        made = open_api.client.post("/v1/datasets", json={"name": "d"})
        where = f"/quiet/v1/datasets/{made.json()['id']}"
        assert (made.headers["location"], made.json()["content_url"]) == (where, f"{where}/content")
        # The proxy may leave it on.
        assert open_api.client.get(where).json()["name"] == "d"
        assert open_api.client.get("/openapi.json").json()["servers"] == [{"url": "/quiet"}]

    def test_of_a_proxy(self, open_api: Api, api: Api) -> None:
        headers = {"X-Forwarded-Prefix": "/salience/"}
        made = open_api.client.post("/v1/datasets", json={"name": "d"}, headers=headers)
        assert made.headers["location"].startswith("/salience/v1/datasets/")
        page = open_api.client.get("/docs", headers=headers).text
        assert '"/salience/docs/assets/start.js"' in page
        assert '"/docs' not in page
        for hostile in ("//evil.example", "/a b", "https://evil.example", '/"><script>', "/" + "x" * 4000):
            made = api.client.post("/v1/datasets", json={"name": "d"}, headers={"X-Forwarded-Prefix": hostile})
            assert made.headers["location"].startswith("/v1/datasets/"), hostile

    def test_without_one(self, api: Api) -> None:
        assert api.client.get("/openapi.json").json()["servers"] == [{"url": "/"}]
        assert urlsplit(api.register("datasets")["content_url"]).path.startswith("/v1/")


def test_streams_answer_head_at_once(service: httpx.Client) -> None:
    """What goes on without end is not waited for."""
    path = "/v1/audits/01a20000-0000-7000-8000-000000000000/events"
    assert service.head(path).status_code == 404


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE"])
def test_other_methods(api: Api, method: str) -> None:
    answer = api.client.request(method, "/v1/run-groups")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    check_problem(answer, 405, "method-not-allowed")


def test_a_request_id_is_taken_over_where_it_is_sane(api: Api) -> None:
    assert api.client.get("/livez", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    for insane in ("x" * 65, "a b", 'a"b'):
        assert api.client.get("/livez", headers={"X-Request-ID": insane}).headers["x-request-id"] != insane
