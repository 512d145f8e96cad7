"""What is sent again, and what never is: against a server that really fails, and the real service behind a bad line."""

import base64
import hashlib
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.embedded.ports import free_port
from salience_audit import Client, Retries
from salience_audit.configuration import Address
from salience_audit.connection import Connection
from salience_audit.errors import ApiError, Unreachable
from tests.client.conftest import OF_ONE
from tests.client.peer import AWAY, CUT, OK, TOO_MANY, Answer, Heard, passed_on, running_peer

Json = dict[str, Any]

SOON = Retries(times=4, first_seconds=0.01)


def client_of(url: str, retries: Retries = SOON) -> Client:
    return Client(url, "a key", retries=retries)


class TestWhatIsSentAgain:
    def test_a_get_outlives_faults(self) -> None:
        answers = AWAY, CUT, TOO_MANY, Answer(body=b'{"status": "queued"}')
        with running_peer(*answers) as peer, client_of(peer.url) as client:
            assert client.audit("one") == {"status": "queued"}
        assert [heard.path for heard in peer.heard] == ["/v1/audits/one"] * 4
        assert {heard.headers["Authorization"] for heard in peer.heard} == {"Bearer a key"}

    def test_an_answer_that_is_cut_off_is_asked_for_again(self) -> None:
        answers = Answer(body=b'{"half": ', cut_answer=True), Answer(body=b'{"whole": 1}')
        with running_peer(*answers) as peer, client_of(peer.url) as client:
            assert client.audit("one") == {"whole": 1}

    def test_a_post_is_sent_again_under_one_key(self) -> None:
        with running_peer(CUT, AWAY, OK, OK) as peer, client_of(peer.url) as client:
            client.create_gate("g", ["entropy.mean <= 1"])
            client.create_gate("g", ["entropy.mean <= 1"])
        first, second, third, other = (heard.headers["Idempotency-Key"] for heard in peer.heard)
        assert first == second == third != other
        assert json.loads(peer.heard[2].body) == {"name": "g", "conditions": ["entropy.mean <= 1"]}

    def test_an_upload_begins_anew(self, tmp_path: Path) -> None:
        content = bytes(range(256)) * 12_000
        (tmp_path / "weights.pt").write_bytes(content)
        registered = Answer(201, b'{"id": "m", "content_url": "/v1/models/m/content"}')
        told: list[tuple[int, int]] = []
        answers = registered, CUT, AWAY, OK, Answer(body=b'{"id": "m", "status": "ready"}')
        with running_peer(*answers) as peer, client_of(peer.url) as client:
            client.push_model(tmp_path / "weights.pt", description={}, progress=lambda *sizes: told.append(sizes))
        puts = [heard for heard in peer.heard if heard.method == "PUT"]
        assert [len(heard.body) for heard in puts[1:]] == [len(content)] * 2
        assert puts[-1].body == content
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert puts[-1].headers["Content-Digest"] == f"sha-256=:{digest}:"
        assert [sent for sent, _ in told].count(1024**2) >= 2
        assert told[-1] == (len(content), len(content))

    def test_the_same_audit_however_often_its_answer_is_lost(
        self, address: tuple[str, str], client: Client, faces: Json, runs: list[Json]
    ) -> None:
        """The service makes it, and the line is cut before the answer gets through."""
        made: list[Answer] = []

        def lose_two(heard: Heard) -> Answer:
            made.append(passed_on(heard, address[0]))
            return CUT if len(made) < 3 else made[-1]

        before = {audit["id"] for audit in client.audits()}
        with running_peer(respond=lose_two) as peer, Client(peer.url, address[1], retries=SOON) as behind:
            audit = behind.run_audit(faces["id"], model_ids=[runs[0]["id"]], protocol=OF_ONE, sample_limit=2)
        client.cancel(audit["id"])
        assert [answer.status for answer in made] == [202] * 3
        assert {found["id"] for found in client.audits()} - before == {audit["id"]}


class TestWhatIsNot:
    @pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
    def test_an_answer_that_stays_the_same(self, status: int) -> None:
        faults = [{"loc": ["a"], "msg": "b"}]
        problem = {"code": "it-is-so", "detail": "And stays so.", "request_id": "r", "errors": faults}
        with (
            running_peer(Answer(status, json.dumps(problem).encode())) as peer,
            client_of(peer.url) as client,
            pytest.raises(ApiError, match=r"it-is-so: And stays so\.") as told,
        ):
            client.audit("one")
        assert (told.value.status, told.value.request_id, len(peer.heard)) == (status, "r", 1)
        assert told.value.errors == faults

    def test_a_post_without_a_key(self) -> None:
        with (
            running_peer(CUT) as peer,
            closing(Connection(Address(peer.url, None), SOON, 30)) as connection,
            pytest.raises(Unreachable),
        ):
            connection.answer("POST", "/v1/gates", json={})
        assert len(peer.heard) == 1
        assert "Authorization" not in peer.heard[0].headers

    def test_for_ever(self) -> None:
        with (
            running_peer(*[AWAY] * 5) as peer,
            client_of(peer.url) as client,
            pytest.raises(ApiError, match="database-unavailable"),
        ):
            client.audit("one")
        assert len(peer.heard) == 5

    def test_nobody_there(self) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        with client_of(url, Retries(times=1, first_seconds=0.01)) as client, pytest.raises(Unreachable, match=url):
            client.audit("one")

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Answer(404, b"<p>gone</p>", {"Content-Type": "text/html"}), "no-problem-document"),
            (Answer(302, b"", {"Location": "https://login.example/"}), "no-problem-document"),
            (Answer(200, b"<p>hello</p>", {"Content-Type": "text/html"}), "no-json"),
        ],
    )
    def test_another_server(self, answer: Answer, code: str) -> None:
        with (
            running_peer(answer) as peer,
            client_of(peer.url) as client,
            pytest.raises(ApiError, match="is it the address of this service") as told,
        ):
            client.audit("one")
        assert told.value.code == code


class TestPauses:
    def test_they_double_and_end(self) -> None:
        retries = Retries(first_seconds=1, longest_seconds=5)
        for attempt, (low, high) in enumerate([(0.5, 1), (1, 2), (2, 4), (4, 5), (5, 5)]):
            assert low <= retries.pause(attempt) <= high

    def test_the_service_says_when(self) -> None:
        def asked(text: str) -> float:
            return Retries(longest_seconds=30).pause(0, httpx.Response(429, headers={"Retry-After": text}))

        assert asked("7") == 7
        assert asked("700") == 30
        assert asked(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0
        assert 0 < asked(format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)) <= 20
        assert asked("soon") <= Retries().first_seconds
