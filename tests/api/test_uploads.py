"""Content of models and data sets over real HTTP: what is kept, what is refused, and what is left behind."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from app.db.tables import ModelRow
from app.domain.vocabulary import ResourceStatus
from app.queue import PRIORITIES, QUEUE_NAME, TaskName
from tests.api.running_api import EMPTY_ZIP, UPLOAD_LIMIT, Api, check_problem
from tests.keys import KEY
from tests.sockets import connect, read_head, read_to_end
from tests.waiting import until


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def messages(broker_url: str, task: TaskName, resource_id: str) -> int:
    """How often a worker was woken for it."""
    priority = PRIORITIES[task]
    with Redis.from_url(broker_url) as redis:
        waiting = redis.lrange(QUEUE_NAME if priority == 0 else f"{QUEUE_NAME}:{priority}", 0, -1)
    return sum(task.value.encode() in message and resource_id.encode() in message for message in waiting)


def test_content_is_taken_and_the_worker_is_told(api: Api, broker_url: str) -> None:
    content = b"weights " * 300_000
    model = api.register()
    answer = api.client.put(model["content_url"], content=content)
    assert answer.status_code == 202
    taken = answer.json()
    assert (taken["status"], taken["content_size"]) == ("validating", len(content))
    assert taken["content_digest"] == f"sha256:{sha256(content).hex()}"
    assert taken["updated_at"] > model["updated_at"]
    assert messages(broker_url, TaskName.VALIDATE_MODEL, model["id"]) == 1
    dataset = api.register("datasets")
    assert api.client.put(dataset["content_url"], content=EMPTY_ZIP).json()["status"] == "validating"
    assert messages(broker_url, TaskName.INDEX_DATASET, dataset["id"]) == 1
    assert not api.leftovers()


def test_same_bytes_again_are_the_same_upload(api: Api, broker_url: str) -> None:
    model = api.register()
    first = api.client.put(model["content_url"], content=b"same again")
    second = api.client.put(model["content_url"], content=b"same again")
    assert (second.status_code, second.json()) == (202, first.json())
    check_problem(api.client.put(model["content_url"], content=b"others"), 409, "content-already-set")
    assert f"blobs/sha256/{sha256(b'others').hex()[:2]}/{sha256(b'others').hex()}" not in map(str, api.files())
    assert messages(broker_url, TaskName.VALIDATE_MODEL, model["id"]) == 1


def test_parallel_uploads_of_the_same_bytes(api: Api, broker_url: str) -> None:
    model, content = api.register(), b"parallel" * 100_000
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.client.put(model["content_url"], content=content), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert messages(broker_url, TaskName.VALIDATE_MODEL, model["id"]) == 1
    assert not api.leftovers()


def test_a_blob_lives_as_long_as_somebody_refers_to_it(api: Api) -> None:
    place = f"blobs/sha256/{sha256(b'shared').hex()[:2]}/{sha256(b'shared').hex()}"
    models = [api.register() for _ in range(2)]
    for model in models:
        assert api.client.put(model["content_url"], content=b"shared").status_code == 202
    assert list(map(str, api.files())).count(place) == 1
    assert api.client.delete(f"/v1/models/{models[0]['id']}").status_code == 204
    assert place in map(str, api.files())
    assert api.client.delete(f"/v1/models/{models[1]['id']}").status_code == 204
    assert place not in map(str, api.files())


def test_a_rejected_upload_is_replaced(api: Api) -> None:
    model = api.register()
    api.client.put(model["content_url"], content=b"bad weights")
    problem = {"code": "model-invalid", "detail": "Not weights."}
    api.set_row(ModelRow, model, status=ResourceStatus.REJECTED, problem=problem)
    shown = api.client.get(f"/v1/models/{model['id']}").json()
    assert (shown["status"], shown["problem"]) == ("rejected", problem)
    again = api.client.put(model["content_url"], content=b"good weights").json()
    assert (again["status"], again["problem"]) == ("validating", None)
    assert sha256(b"bad weights").hex() not in {path.name for path in api.files()}


def test_deleting_and_uploading_the_same_bytes_take_turns(api: Api) -> None:
    content = b"contested"
    owner = api.register()
    api.client.put(owner["content_url"], content=content)
    for _ in range(10):
        heir = api.register()
        with ThreadPoolExecutor(2) as pool:
            put = pool.submit(api.client.put, heir["content_url"], content=content)
            deleted = pool.submit(api.client.delete, f"/v1/models/{owner['id']}")
            assert deleted.result().status_code == 204
        is_there = sha256(content).hex() in {path.name for path in api.files()}
        if put.result().status_code == 503:
            assert api.client.put(heir["content_url"], content=content).status_code == 202
        else:
            assert put.result().status_code == 202
            assert is_there
        owner = heir


class TestDigest:
    @pytest.mark.parametrize("before", ["", "sha-512=:AAAA:, ", "md5=:AAAA:,"])
    def test_right(self, api: Api, before: str) -> None:
        digest = f"{before}sha-256=:{base64.b64encode(sha256(b'checked')).decode()}:"
        answer = api.client.put(api.register()["content_url"], content=b"checked", headers={"Content-Digest": digest})
        assert answer.status_code == 202

    @pytest.mark.parametrize("digest", ["nonsense", "sha-256=abc", "sha-256=:!!:", "sha-256=:AAAA:", "sha-256=:A:"])
    def test_malformed(self, api: Api, digest: str) -> None:
        answer = api.client.put(api.register()["content_url"], content=b"x", headers={"Content-Digest": digest})
        check_problem(answer, 422, "malformed-digest")

    def test_wrong(self, api: Api) -> None:
        digest = f"sha-256=:{base64.b64encode(sha256(b'b')).decode()}:"
        model = api.register()
        answer = api.client.put(model["content_url"], content=b"a" * 2_000_000, headers={"Content-Digest": digest})
        check_problem(answer, 422, "checksum-mismatch")
        assert api.client.get(f"/v1/models/{model['id']}").json()["status"] == "awaiting_content"
        assert not api.leftovers()


class TestRefused:
    def test_too_large_by_its_own_account(self, api: Api) -> None:
        with connect(api.port) as peer:
            peer.sendall(head(api.register()["content_url"], f"Content-Length: {UPLOAD_LIMIT + 1}"))
            answer = read_to_end(peer)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"payload-too-large"' in answer

    def test_the_answer_reaches_a_client_that_still_sends(self, api: Api) -> None:
        answer = api.client.put(api.register()["content_url"], content=b"x" * (UPLOAD_LIMIT + 20_000_000))
        check_problem(answer, 413, "payload-too-large")

    def test_too_large_without_a_length(self, api: Api) -> None:
        answer = api.client.put(api.register()["content_url"], content=iter([b"x" * 500_000] * 20))
        check_problem(answer, 413, "payload-too-large")
        assert not api.leftovers()

    def test_no_archive_by_its_first_bytes(self, api: Api) -> None:
        def endless() -> Iterator[bytes]:
            while True:
                yield b"no archive " * 100

        answer = api.client.put(api.register("datasets")["content_url"], content=endless())
        check_problem(answer, 415, "unsupported-media-type")

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({"Content-Encoding": "gzip"}, 415, "unsupported-content-encoding"),
            ({"Content-Type": "multipart/mixed; boundary=x"}, 415, "unsupported-media-type"),
        ],
    )
    def test_by_a_header(self, api: Api, headers: dict[str, str], status: int, code: str) -> None:
        answer = api.client.put(api.register()["content_url"], content=b"x", headers=headers)
        check_problem(answer, status, code)

    def test_length_and_transfer_encoding(self, api: Api) -> None:
        with connect(api.port) as peer:
            lines = "Content-Length: 3\r\nTransfer-Encoding: chunked"
            peer.sendall(head(api.register()["content_url"], lines) + b"3\r\nabc\r\n0\r\n\r\n")
            assert read_to_end(peer).startswith(b"HTTP/1.1 400 ")

    def test_a_compressing_transfer_coding(self, api: Api) -> None:
        with connect(api.port) as peer:
            lines = "Connection: close\r\nTransfer-Encoding: gzip, chunked"
            peer.sendall(head(api.register()["content_url"], lines) + b"3\r\nabc\r\n0\r\n\r\n")
            answer = read_to_end(peer)
        assert answer.startswith(b"HTTP/1.1 415 ")
        assert b'"unsupported-content-encoding"' in answer


class TestInterrupted:
    @pytest.fixture
    def impatient(self, start_api: Callable[..., Api], broker_url: str) -> Api:
        """Its own, since any test's body may pause for a second on a slow machine."""
        return start_api(broker_url, BODY_IDLE_SECONDS="1", RECONCILE_SECONDS="3600")

    def test_stalled(self, impatient: Api) -> None:
        with connect(impatient.port) as peer:
            peer.sendall(head(impatient.register()["content_url"], "Content-Length: 2000000") + b"x" * 1_500_000)
            started = time.monotonic()
            answer = read_to_end(peer)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"request-timeout"' in answer
        assert time.monotonic() - started < 25, "as the setting says, and not its default of 30 seconds"
        until(lambda: not impatient.leftovers())

    def test_cut_off(self, api: Api) -> None:
        model = api.register()
        with connect(api.port) as peer:
            peer.sendall(head(model["content_url"], "Content-Length: 2000000") + b"x" * 1_900_000)
        until(lambda: not api.leftovers())
        time.sleep(0.2)
        assert api.client.get(f"/v1/models/{model['id']}").json()["status"] == "awaiting_content"
        assert api.client.put(model["content_url"], content=b"whole").status_code == 202

    def test_expected_to_continue_only_where_it_is_read(self, api: Api) -> None:
        url = api.register()["content_url"]
        with connect(api.port) as peer:
            peer.sendall(head(url, f"Expect: 100-continue\r\nContent-Length: {UPLOAD_LIMIT + 1}"))
            assert read_to_end(peer).startswith(b"HTTP/1.1 413 ")
        with connect(api.port) as peer:
            peer.sendall(head(url, "Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3"))
            assert read_head(peer).startswith(b"HTTP/1.1 100 ")
            peer.sendall(b"abc")
            assert b"HTTP/1.1 202 " in read_to_end(peer)


class TestHeaders:
    @pytest.mark.parametrize("lines", ["X-Long: " + "x" * 200_000, "\r\n".join(f"X-{n}: " for n in range(20_000))])
    def test_too_large(self, api: Api, lines: str) -> None:
        for path in ("/livez", api.register()["content_url"]):
            with connect(api.port) as peer:
                peer.sendall(head(path, f"Connection: close\r\n{lines}"))
                answer = read_to_end(peer)
            assert answer.startswith(b"HTTP/1.1 431 ")
            assert b'"headers-too-large"' in answer

    def test_a_long_address(self, api: Api) -> None:
        check_problem(api.client.get("/v1/models?name=" + "x" * 60_000), 422, "validation-error")
        with connect(api.port) as peer:
            peer.sendall(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert read_to_end(peer).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))

    def test_no_http(self, api: Api) -> None:
        with connect(api.port) as peer:
            peer.sendall(b"hello there\r\n\r\n")
            answer = read_to_end(peer)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer


def head(path: str, lines: str) -> bytes:
    return f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n{lines}\r\n\r\n".encode()
