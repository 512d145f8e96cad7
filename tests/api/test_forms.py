"""Uploads that come as a form: one file in it is taken as if it had come alone, anything else is refused."""

import base64
import hashlib
from collections.abc import Iterator

import httpx
import pytest

from tests.api.running_api import EMPTY_ZIP, UPLOAD_LIMIT, Api, check_problem
from tests.datasets.packing import GOOD, make_zip

CONTENT = make_zip(GOOD)
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="faces.zip"\r\n\r\n'
END = b"\r\n--b--\r\n"
WHOLE = HEAD + CONTENT + END


def put(api: Api, url: str, body: bytes, boundary: str = "b", **headers: str) -> httpx.Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return api.client.put(url, content=body, headers=kind | headers)


@pytest.fixture
def url(api: Api) -> str:
    return str(api.register("datasets")["content_url"])


class TestTaken:
    def test_as_clients_send_it(self, api: Api, url: str) -> None:
        answer = api.client.put(url, files={"file": ("faces.zip", CONTENT, "application/zip")})
        assert answer.status_code == 202
        shown = answer.json()
        assert (shown["content_size"], shown["status"]) == (len(CONTENT), "validating")
        assert shown["content_digest"] == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"

    def test_however_it_is_cut(self, api: Api, url: str) -> None:
        pieces = (WHOLE[place : place + 7] for place in range(0, len(WHOLE), 7))
        answer = api.client.put(url, content=pieces, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert answer.json()["content_digest"] == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"

    def test_the_digest_is_the_whole_forms(self, api: Api, url: str) -> None:
        for content, status in ((CONTENT, 422), (WHOLE, 202)):
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            headers = {"Content-Digest": f"sha-256=:{digest}:"}
            assert put(api, url, WHOLE, **headers).status_code == status

    def test_its_file_is_looked_at_like_any(self, api: Api, url: str) -> None:
        check_problem(put(api, url, HEAD + b"no archive" * 99 + END), 415, "unsupported-media-type")
        check_problem(put(api, url, HEAD + END), 422, "empty-body")
        assert put(api, url, HEAD + EMPTY_ZIP + END).status_code == 202


FIELDS = b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % number for number in range(3000))


class TestMalformed:
    @pytest.mark.parametrize(
        ("body", "boundary"),
        [
            (FIELDS + b"--b--\r\n", "b"),
            (HEAD + CONTENT, "b"),
            (WHOLE[:-6], "b"),
            (WHOLE, "other"),
            (WHOLE, ""),
            (WHOLE, '""'),
            (WHOLE.replace(b"--b", b"--" + b"b" * 10_000), "b" * 10_000),
            (HEAD + CONTENT + b"\r\n" + WHOLE, "b"),
            (b"", "b"),
            (b"--b--\r\n", "b"),
            (b"preamble\r\n" + WHOLE, "b"),
            (b"--b\r\nno header at all\r\n\r\n" + CONTENT + END, "b"),
            (b"--b\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n" + CONTENT + END, "b"),
            (WHOLE + b"x" * 100_000, "b"),
        ],
        ids=range(14),
    )
    def test_bodies(self, api: Api, url: str, body: bytes, boundary: str) -> None:
        check_problem(put(api, url, body, boundary), 400, "malformed-multipart")
        assert api.client.get(url.removesuffix("/content")).json()["status"] == "awaiting_content"
        assert not api.leftovers()

    def test_models_too(self, api: Api) -> None:
        check_problem(put(api, api.register()["content_url"], HEAD + b"weights"), 400, "malformed-multipart")

    def test_without_any_boundary(self, api: Api, url: str) -> None:
        answer = api.client.put(url, content=WHOLE, headers={"Content-Type": "multipart/form-data"})
        check_problem(answer, 400, "malformed-multipart")

    def test_another_kind_of_parts(self, api: Api, url: str) -> None:
        answer = api.client.put(url, content=WHOLE, headers={"Content-Type": "multipart/mixed; boundary=b"})
        check_problem(answer, 415, "unsupported-media-type")


def test_too_long(api: Api, url: str) -> None:
    def body() -> Iterator[bytes]:
        yield HEAD + EMPTY_ZIP
        for _ in range(UPLOAD_LIMIT // 100_000 + 1):
            yield bytes(100_000)
        yield END

    answer = api.client.put(url, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    check_problem(answer, 413, "payload-too-large")
    assert not api.leftovers()
