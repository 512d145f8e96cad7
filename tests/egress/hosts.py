"""A server on loopback that behaves as badly as it is asked to, and tells who came."""

import contextlib
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FILE = bytes(range(256)) * 400
SECRET = b"what stands on an address that nobody may call"


class Host(ThreadingHTTPServer):
    """``visits`` has the path and the headers of every request, ``connections`` the number of connections."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.visits: list[tuple[str, dict[str, str]]] = []
        self.connections = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _answer(self) -> None:
        self.server.visits.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        asked = urlsplit(self.path)
        with contextlib.suppress(OSError):
            getattr(self, asked.path.strip("/").replace("-", "_") or "plain")(parse_qs(asked.query))

    def plain(self, _: dict[str, list[str]]) -> None:
        self._send(200, SECRET)

    def file(self, _: dict[str, list[str]]) -> None:
        self._send(200, FILE)

    def redirect(self, query: dict[str, list[str]]) -> None:
        self._send(int(query.get("status", ["302"])[0]), b"", Location=query["to"][0])

    def around(self, query: dict[str, list[str]]) -> None:
        """So many times to itself, then an answer."""
        left = int(query["left"][0])
        if left:
            self._send(307, b"", Location=f"/around?left={left - 1}")
        else:
            self.plain(query)

    def says_huge(self, _: dict[str, list[str]]) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**12))
        self.end_headers()

    def endless(self, _: dict[str, list[str]]) -> None:
        self._begin_chunks()
        while True:
            self.wfile.write(b"10000\r\n" + bytes(65_536) + b"\r\n")

    def trickle(self, _: dict[str, list[str]]) -> None:
        self._begin_chunks()
        while True:
            self.wfile.write(b"1\r\nx\r\n")
            time.sleep(0.05)

    def slow(self, query: dict[str, list[str]]) -> None:
        """So many redirects to itself, each after a while; then bytes that come without a long pause."""
        left = int(query.get("left", ["0"])[0])
        if left:
            time.sleep(0.25)
            self._send(302, b"", Location=f"/slow?left={left - 1}")
            return
        self._begin_chunks()
        for _ in range(60):
            self.wfile.write(b"64\r\n" + bytes(100) + b"\r\n")
            time.sleep(0.02)
        self.wfile.write(b"0\r\n\r\n")

    def silent(self, _: dict[str, list[str]]) -> None:
        time.sleep(5)

    def endless_headers(self, _: dict[str, list[str]]) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    def endless_informing(self, _: dict[str, list[str]]) -> None:
        while True:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            time.sleep(0.01)

    def no_http(self, _: dict[str, list[str]]) -> None:
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        self.close_connection = True

    def cut_off(self, _: dict[str, list[str]]) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def compressed(self, _: dict[str, list[str]]) -> None:
        self._send(200, b"\x1f\x8b", **{"Content-Encoding": "gzip"})

    def breaks_off(self, query: dict[str, list[str]]) -> None:
        """A third of what is left comes each time, up to the last kilobytes; ``tag`` is the file's."""
        begin = int(self.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        tag = query["tag"][0] if not begin or "then" not in query else query["then"][0]
        if begin and self.headers["if-range"] != tag:
            begin = 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(FILE) - 1}/{len(FILE)}")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(FILE) - begin))
        self.end_headers()
        left = len(FILE) - begin
        self.wfile.write(FILE[begin : begin + (left // 3 if left > 40_000 else left)])
        self.close_connection = True

    def cookie(self, _: dict[str, list[str]]) -> None:
        self._send(200, b"", **{"Set-Cookie": "seen=1"})

    def _begin_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
