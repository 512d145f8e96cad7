"""HTTP/1.1 as uvicorn speaks it, with an end to headers and problem documents for what is no HTTP."""

import asyncio
import json
from http import HTTPStatus
from uuid import uuid4

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.domain.problems.service import HEADERS_TOO_LARGE
from app.http.guards.body_guard import LINGER_BYTES, LINGER_SECONDS
from app.http.guards.request_context import SECURITY_HEADERS
from app.http.problems import MEDIA_TYPE, problem_document

HEADER_SECONDS = 30.0
ANSWER_SECONDS = 30.0
MAX_FRAMING_BYTES = 128 * 1024
"""Of headers, trailers or chunk extensions in a row: more than the application's own, lower limit on headers."""
MAX_HEADER_LINES = 1000
"""That are kept; more than the application takes, so that it refuses them."""
MIN_ANSWER_BYTES = 64 * 1024
"""That a peer reads in ``ANSWER_SECONDS``."""
MAX_PIPELINED = 64
"""Requests of a connection that wait for the answer to the one before."""


class GuardedHttp(HttpToolsProtocol):
    """A connection may cost so much and no more before the application judges its requests.

    One that sends headers without end, or not at all, or does not take its answer, is closed.
    """

    _in_headers = True
    _in_message = False
    _framing_bytes = 0
    _unread_bytes = 0
    _refused_bytes: int | None = None
    _offers_upgrade = False
    _method = _version = b""
    _header_timer: asyncio.TimerHandle | None = None
    _answer_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_answer_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        self._stop_answer_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._refused_bytes is not None:
            self._discard(data)
            return
        self._framing_bytes += len(data)
        self._feed(data)
        if self._header_timer is None and not self._in_message and not self._is_answering:
            self._start_timer()  # an empty line ended the server's patience between two requests
        if self._framing_bytes > MAX_FRAMING_BYTES:
            self._refuse(431, HEADERS_TOO_LARGE.code, HEADERS_TOO_LARGE.detail())

    def _feed(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._offers_upgrade:
                self._parse_without_offer(data[upgrade.args[0] :])
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _parse_without_offer(self, rest: bytes) -> None:
        """Another protocol was offered (RFC 9110, 7.8), as Java's HttpClient and ``curl --http2`` do by default.

        The parser gives the message up there, body and all. A new one gets the same head without the offer, and every
        byte after it: as if it had not been offered, which is what a server may do.
        """
        self._offers_upgrade = False
        kept = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        line = b"%s %s HTTP/%s\r\n" % (self._method, self.url, self._version)
        self.parser = HttpRequestParser(self)
        self._feed(b"".join([line, *kept, b"\r\n", rest]))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = self._in_message = True
        self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers come here too; nobody reads those."""
        if self._in_headers and len(self.headers) <= MAX_HEADER_LINES:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._stop_timer()
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
        elif self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._offers_upgrade = True
            self._method, self._version = self.parser.get_method(), self.parser.get_http_version().encode()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offers_upgrade:
            return
        self._framing_bytes, self._in_message = 0, False
        if self._refused_bytes is None:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's own is plain text."""
        self._refuse(400, "malformed-request", msg)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_timer(self) -> None:
        self._stop_timer()
        self._header_timer = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """The next request's headers are late, though not while the answer before them is on its way."""
        if self._is_answering:
            self._start_timer()
        else:
            self.transport.close()

    def _watch_reader(self) -> None:
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._answer_timer = self.loop.call_later(ANSWER_SECONDS, self._judge_reader)

    def _judge_reader(self) -> None:
        """Closed in the common way, what the peer does not read would be waited for."""
        if self.transport.get_write_buffer_size() > self._unread_bytes - MIN_ANSWER_BYTES:
            self.transport.abort()
        else:
            self._watch_reader()

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_answer_timer(self) -> None:
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _discard(self, data: bytes) -> None:
        self._refused_bytes = (self._refused_bytes or 0) + len(data)
        if self._refused_bytes > LINGER_BYTES:
            self.transport.abort()

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """To close at once would reset the connection, and a client that still sends might never see the answer."""
        if self.transport.is_closing() or self._refused_bytes is not None:
            return
        self._refused_bytes = 0
        if self._is_answering:
            if self.cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._stop_timer()
        self.transport.write(_answer(status, code, detail))
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _answer(status: int, code: str, detail: str) -> bytes:
    request_id = uuid4().hex
    body = json.dumps(problem_document(status, code, detail, request_id)).encode()
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        "x-request-id": request_id,
    } | {name.decode(): value.decode() for name, value in SECURITY_HEADERS.items()}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
