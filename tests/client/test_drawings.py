"""Reports and figures are long in the making: they are waited for, and what is too slow is not begun once more."""

import time
from collections.abc import Callable

import pytest

from salience_audit import Client, Retries
from salience_audit import connection as connection_module
from salience_audit.errors import ApiError, TooSlow, Unreachable
from tests.client.peer import AWAY, CUT, Answer, Heard, running_peer
from tests.waiting import until

PAGE = Answer(body=b"<html>", headers={"Content-Type": "text/html"})
SOON = Retries(times=2, first_seconds=0.01)


def slow(seconds: float) -> Callable[[Heard], Answer]:
    def respond(_: Heard) -> Answer:
        time.sleep(seconds)
        return PAGE

    return respond


def client_of(url: str) -> Client:
    return Client(url, "a key", retries=SOON)


def impatient_client_of(url: str) -> Client:
    return Client(url, "a key", retries=SOON, timeout_seconds=0.2)


DRAWN: list[Callable[[Client], bytes]] = [
    lambda client: client.report("one"),
    lambda client: client.comparison_report("one"),
    lambda client: client.plot("one", "radar"),
    lambda client: client.comparison_plot("one", "radar", "png"),
]


@pytest.mark.parametrize("ask", DRAWN)
def test_a_drawing_may_take_longer_than_other_answers(ask: Callable[[Client], bytes]) -> None:
    with running_peer(respond=slow(0.6)) as peer, impatient_client_of(peer.url) as client:
        assert ask(client) == b"<html>"
    assert len(peer.heard) == 1


def test_what_is_too_slow_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "DRAWING_SECONDS", 0.3)
    with running_peer(respond=slow(0.8)) as peer, impatient_client_of(peer.url) as client:
        with pytest.raises(TooSlow, match=r"too-slow: .* did not answer within 0\.3 seconds"):
            client.report("one")
        until(lambda: peer.heard)
    assert len(peer.heard) == 1


def test_nor_what_the_service_gave_up() -> None:
    gave_up = Answer(503, b'{"code": "report-timeout", "detail": "Drawing the report took too long."}')
    with (
        running_peer(gave_up) as peer,
        client_of(peer.url) as client,
        pytest.raises(ApiError, match="report-timeout"),
    ):
        client.report("one")
    assert len(peer.heard) == 1


def test_other_faults_pass() -> None:
    with running_peer(CUT, AWAY, PAGE) as peer, client_of(peer.url) as client:
        assert client.report("one") == b"<html>"


def test_other_answers_are_asked_for_again() -> None:
    with running_peer(respond=slow(0.5)) as peer, impatient_client_of(peer.url) as client:
        with pytest.raises(Unreachable):
            client.audit("one")
        until(lambda: len(peer.heard) >= 1 + SOON.times)
    assert len(peer.heard) == 1 + SOON.times


def test_an_error_names_the_fields_at_fault() -> None:
    faults = b'[{"loc": ["body", "conditions", 0], "msg": "expected a measure"}, {"loc": ["body"], "msg": "no"}, {}]'
    problem = Answer(422, b'{"code": "validation-error", "detail": "It does not fit.", "errors": ' + faults + b"}")
    with running_peer(problem) as peer, client_of(peer.url) as client, pytest.raises(ApiError) as told:
        client.create_gate("g", ["x"])
    expected = "validation-error: It does not fit.; body.conditions.0: expected a measure; body: no"
    assert str(told.value) == expected
    assert told.value.detail == "It does not fit."
