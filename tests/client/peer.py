"""A real HTTP server that does what it is told: answers with faults, cuts lines, passes on to another server."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Heard:
    """A request as it arrived; ``body`` is what came of it before the line was cut."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to do with one request: answer it, or cut the line before, or within, the answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    cut_answer: bool = False


PASSED_ON = httpx.Client(timeout=PATIENCE_SECONDS)
OK = Answer()
CUT = Answer(cut=True)
AWAY = Answer(503, b'{"code": "database-unavailable", "detail": "The database cannot be reached."}')
TOO_MANY = Answer(429, b'{"code": "rate-limited", "detail": "Too many requests."}', {"Retry-After": "0"})


@dataclass
class Peer:
    """Its address and what it heard; ``answer`` tells what to do with the next request."""

    url: str
    answer: Callable[[Heard], Answer]
    heard: list[Heard] = field(default_factory=list)


@contextmanager
def running_peer(*answers: Answer, respond: Callable[[Heard], Answer] | None = None) -> Iterator[Peer]:
    """Gives these answers, one a request; or what ``respond`` says."""
    script = iter(answers)
    server = _Server(("127.0.0.1", 0), _Handler)
    peer = Peer(f"http://127.0.0.1:{server.server_port}", respond or (lambda _: next(script)))
    server.peer = peer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def passed_on(heard: Heard, url: str) -> Answer:
    """The answer of the server there."""
    kept = {name: value for name, value in heard.headers.items() if name.lower() not in {"host", "accept-encoding"}}
    found = PASSED_ON.request(heard.method, f"{url}{heard.path}", headers=kept, content=heard.body)
    return Answer(found.status_code, found.content, {"Content-Type": found.headers["content-type"]})


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # its end waits for every request that arrived: whoever looks then misses none


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        peer: Peer = self.server.peer  # type: ignore[attr-defined]
        length = int(self.headers.get("content-length", "0"))
        # The body decides nothing of a script, but what is passed on needs it.
        arrived = self.rfile.read(min(length, 65_536))
        heard = Heard(self.command, self.path, dict(self.headers.items()), arrived)
        answer = peer.answer(heard)
        if not answer.cut:
            heard = Heard(heard.method, heard.path, heard.headers, arrived + self.rfile.read(length - len(arrived)))
        peer.heard.append(heard)
        if answer.cut:
            self._cut()
            return
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | dict(answer.headers)).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.cut_answer))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.cut_answer:
            self.wfile.flush()
            self._cut()

    do_POST = do_PUT = do_GET  # noqa: N815 - the names that http.server calls

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at what was heard."""
