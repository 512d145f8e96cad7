"""A body that comes a byte at a time: given up at its deadline, however lively it looks."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.api.running_api import Api
from tests.api.test_uploads import head
from tests.sockets import connect, read_to_end
from tests.waiting import until


@pytest.fixture
def impatient(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, BODY_GRACE_SECONDS="2", RECONCILE_SECONDS="3600")


@contextlib.contextmanager
def trickling(peer: socket.socket) -> Iterator[None]:
    """Ten bytes a second, until nobody takes them any more."""
    stopped = threading.Event()

    def trickle() -> None:
        with contextlib.suppress(OSError):
            while not stopped.wait(0.1):
                peer.sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    yield
    stopped.set()
    thread.join()


def test_it_is_given_up_and_others_are_served(impatient: Api) -> None:
    url = impatient.register()["content_url"]
    with connect(impatient.port) as peer:
        peer.sendall(head(url, "Content-Length: 100000"))
        with trickling(peer):
            assert impatient.client.get("/v1/models").status_code == 200
            answer = read_to_end(peer)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request-timeout"' in answer
    until(lambda: not impatient.leftovers())
    assert impatient.client.get(url.removesuffix("/content")).json()["status"] == "awaiting_content"
