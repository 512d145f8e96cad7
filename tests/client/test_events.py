"""An audit's events: from the real service, and through lines that are cut or let no stream through."""

from typing import Any

import pytest

from salience_audit import Client, Event, Retries
from salience_audit.errors import ApiError, AuditEnded
from tests.client.conftest import OF_ONE
from tests.client.peer import AWAY, Answer, Heard, running_peer

Json = dict[str, Any]

SOON = Retries(times=2, first_seconds=0.01)
STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


def streamed(*events: str, cut: bool = False) -> Answer:
    text = "retry: 2000\n: audit\n\n" + "".join(f"{event}\n\n" for event in events)
    return Answer(body=text.encode(), headers=STREAM, cut_answer=cut)


RUNNING = 'event: status\ndata: {"status":"running","problem":null}\nid: 1.0.0'
HALF = 'event: progress\ndata: {"done":4,"total":8}\nid: 2.1.4'
ALL = 'event: progress\ndata: {"done":8,"total":8}\nid: 2.2.8'
END = 'event: end\ndata: {"status":"succeeded","problem":null}\nid: 4.0.0'


def test_of_a_real_audit(client: Client, faces: Json, runs: list[Json]) -> None:
    started = client.run_audit(faces["id"], model_ids=[runs[0]["id"]], protocol=OF_ONE, sample_limit=5)
    told: list[Event] = []
    ended = client.wait(started["id"], told.append)
    assert (ended["status"], ended["id"]) == ("succeeded", started["id"])
    assert [event.name for event in told[-2:]] == ["status", "end"]
    assert told[-1].data == {"status": "succeeded", "problem": None}
    done = [event.data["done"] for event in told if event.name == "progress"]
    assert done == sorted(done)
    assert done[-1] == 5
    assert all(event.id for event in told)
    assert [event.name for event in client.events(started["id"])] == ["progress", "status", "end"]


def test_a_cut_line_is_taken_up_again() -> None:
    answers = streamed(RUNNING, HALF, cut=True), AWAY, streamed(), streamed(ALL, END)
    with running_peer(*answers) as peer, Client(peer.url, "a key", retries=SOON) as client:
        events = list(client.events("one"))
    assert [event.id for event in events] == ["1.0.0", "2.1.4", "2.2.8", "4.0.0"]
    assert [heard.headers.get("Last-Event-ID") for heard in peer.heard] == [None, "2.1.4", "2.1.4", "2.1.4"]


def test_a_note_has_no_id_and_moves_none() -> None:
    note = 'event: note\ndata: {"note":"No worker is there."}'
    with (
        running_peer(streamed(HALF, note, cut=True), streamed(END)) as peer,
        Client(peer.url, "a key", retries=SOON) as client,
    ):
        events = list(client.events("one"))
    assert [(event.name, event.id) for event in events] == [("progress", "2.1.4"), ("note", None), ("end", "4.0.0")]
    assert peer.heard[1].headers["Last-Event-ID"] == "2.1.4"


def test_where_no_stream_gets_through_it_is_polled() -> None:
    states = [("queued", 0), ("running", 3), ("running", 3), ("succeeded", 8)]
    polled: list[Heard] = []

    def respond(heard: Heard) -> Answer:
        if heard.path.endswith("/events"):
            return Answer(body=b"<p>no streams here</p>", headers={"Content-Type": "text/html"})
        polled.append(heard)
        status, done = states[len(polled) - 1]
        body = f'{{"status": "{status}", "problem": null, "progress": {{"done": {done}, "total": 8}}}}'
        return Answer(body=body.encode())

    with running_peer(respond=respond) as peer, Client(peer.url, "a key", retries=SOON) as client:
        events = list(client.events("one"))
    told = [event.data.get("status", event.data.get("done")) for event in events]
    assert told == ["queued", 0, "running", 3, "succeeded", 8, "succeeded"]
    assert {event.id for event in events} == {None}
    assert len(polled) == 4


def test_no_such_audit(client: Client) -> None:
    with pytest.raises(ApiError, match="not-found"):
        next(client.events("01a20000-0000-7000-8000-000000000001"))


def test_a_cancelled_audit_is_no_result(client: Client, faces: Json, runs: list[Json]) -> None:
    started = client.run_audit(faces["id"], model_ids=[runs[0]["id"]], protocol="default")
    client.cancel(started["id"])
    with pytest.raises(AuditEnded, match="audit-cancelled") as told:
        client.wait(started["id"])
    assert told.value.resource["status"] == "cancelled"
