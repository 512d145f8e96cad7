"""Answers that are too large, too slow or no answers are cut; a file that breaks off is gone on with."""

import time

import pytest

from app.egress.addresses import AddressGuard
from app.egress.calls import Call
from app.egress.client import EgressClient, Limits
from app.egress.network import Pace
from app.errors import EgressFailure
from tests.egress.callers import MOST, OPEN
from tests.egress.hosts import FILE, SECRET, Host


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("says-huge", "answer-too-large"),
        ("endless", "answer-too-large"),
        ("trickle", "answer-too-slow"),
        ("silent", "answer-too-slow"),
        ("endless-headers", "answer-malformed"),
        ("endless-informing", "answer-too-slow"),
        ("no-http", "answer-malformed"),
        ("cut-off", "answer-malformed"),
        ("compressed", "answer-malformed"),
    ],
)
def test_bad_answer_is_cut(path: str, code: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    with pytest.raises(EgressFailure) as failed:
        client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/{path}"), most_bytes=MOST)
    assert failed.value.code == code
    assert client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/")).body == SECRET


def test_what_breaks_off_goes_on_where_it_did(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    hosts[0].visits.clear()
    call = Call("GET", f'http://{OPEN}:{hosts[0].port}/breaks-off?tag="one"', credentials={"Authorization": "Bearer x"})
    with client.fetch(call, MOST) as download:
        assert b"".join(download.pieces()) == FILE
    asked = [headers.get("range") for _, headers in hosts[0].visits]
    assert asked[0] is None
    assert len(asked) == 4
    assert len(set(asked)) == 4
    assert all("authorization" in headers for _, headers in hosts[0].visits)


@pytest.mark.parametrize("query", ['tag=W/"one"', 'tag="one"&then="two"', "tag="])
def test_another_file_is_not_gone_on_with(query: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    """A tag that says "much alike", one that changed meanwhile, none."""
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/breaks-off?{query}")
    with pytest.raises(EgressFailure, match="answer-malformed") as failed, client.fetch(call, MOST) as download:
        for _ in download.pieces():
            pass
    assert failed.value.passing
    assert client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/")).body == SECRET


def test_all_redirects_have_one_deadline(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    """Five of a quarter of a second, in 0.8 seconds."""
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/slow?left=5")
    with pytest.raises(EgressFailure, match="answer-too-slow"), client.fetch(call, MOST):
        pass


@pytest.mark.parametrize(("least", "comes"), [(2_000, True), (20_000, False), (0, True)])
def test_a_fetch_keeps_a_pace(least: int, *, comes: bool, hosts: tuple[Host, Host]) -> None:
    """Of some 5,000 bytes a second."""
    limits = Limits(pause_seconds=2, fetch_seconds=10, pace=Pace(least, over_seconds=0.4))
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/slow")
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), limits) as client, client.fetch(call, MOST) as download:
        if comes:
            assert sum(map(len, download.pieces())) == 6_000
            return
        with pytest.raises(EgressFailure, match="answer-too-slow") as failed:
            list(download.pieces())
        assert failed.value.passing


def test_our_own_time_is_not_the_senders(hosts: tuple[Host, Host]) -> None:
    """All of the file is there at once; whoever is at its first piece for longer than the pace is taken over does not
    make the sender slow."""
    limits = Limits(pause_seconds=5, fetch_seconds=30, pace=Pace(1_000_000, over_seconds=1))
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/file")
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), limits) as client, client.fetch(call, MOST) as download:
        pieces = download.pieces()
        first = next(pieces)
        assert len(first) < len(FILE)
        time.sleep(1.2)
        assert first + b"".join(pieces) == FILE
