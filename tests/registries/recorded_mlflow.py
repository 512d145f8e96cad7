"""A server on loopback that answers as an MLflow tracking server did, remembers tags, and breaks off when told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zlib import crc32

from tests.registries.recorded_answers import API, ARTIFACTS, RecordedAnswers
from tests.waiting import until

Json = dict[str, Any]


class RecordedMlflow(RecordedAnswers, ThreadingHTTPServer):
    """``asked`` has every request's path and ``Authorization``."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        RecordedAnswers.__init__(self)
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", port), _Handler)
        self.written: list[Json] = []
        self.metrics: dict[str, float] = {}
        self.logged: dict[str, bytes] = {}
        """Files, by their place."""
        self.asked: list[tuple[str, str | None]] = []
        self.refuses_log = False
        """Metrics are answered 503."""
        self.sends_parts = True
        """False: files have other ETags in each answer, as those have that are fetched from elsewhere for it."""
        self.down = False
        self.holds = threading.Event()
        """While it is set, weights stop in the middle, and ``halfway`` says so."""
        self.halfway = threading.Event()
        self.holds_answer_to: str | None = None
        """The tag that is set, but whose answer does not come; then ``halfway`` says so."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: RecordedMlflow

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        self.server.asked.append((self.path, self.headers.get("authorization")))
        if self.server.down:
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
        elif asked.path.startswith(f"{ARTIFACTS}/"):
            self._send_file(unquote(asked.path).removeprefix(f"{ARTIFACTS}/"))
        else:
            self._send(*self.server.answer(asked.path, query))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.down:
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
            return
        if self.server.refuses_log and self.path == f"{API}/runs/log-batch":
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
            return
        self.server.written.append(body)
        if self.path == f"{API}/model-versions/set-tag":
            self.server.tags(body["name"], body["version"])[body["key"]] = body["value"]
            if body["key"] == self.server.holds_answer_to:
                self.server.halfway.set()
                until(lambda: self.server.holds_answer_to is None)
        elif self.path == f"{API}/runs/log-batch":
            self.server.metrics |= {metric["key"]: metric["value"] for metric in body["metrics"]}
        else:
            self.server.aliases[body["name"], body["alias"]] = body["version"]
        with suppress(ConnectionError):
            self._send(200, {})

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.logged[unquote(self.path).removeprefix(f"{ARTIFACTS}/")] = content
        self._send(200, {})

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _send_file(self, path: str) -> None:
        """As ``send_file`` does: from where it is asked to, of a file that has the ETag still."""
        files, inner = self.server.below(path)
        seen = crc32(files[inner]) if self.server.sends_parts else len(self.server.asked)
        tag, asked = f'"{seen}"', self.headers.get("range")
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.headers.get("if-range") == tag else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(files[inner]) - 1}/{len(files[inner])}")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(files[inner]) - begin))
        self.end_headers()
        half = len(files[inner]) // 2 if inner == "data/model.pth" and self.server.holds.is_set() else 0
        with suppress(ConnectionError):
            self.wfile.write(files[inner][begin:half])
            if half:
                self.server.halfway.set()
                until(lambda: not self.server.holds.is_set())
            self.wfile.write(files[inner][max(begin, half) :])

    def _send(self, status: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def recorded_mlflow() -> Iterator[RecordedMlflow]:
    server = RecordedMlflow()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
