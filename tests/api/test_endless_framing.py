"""What surrounds a body - headers, trailers, chunk extensions, further requests - costs the API next to nothing."""

import contextlib
import socket

import psutil
import pytest

from tests.api.running_api import Api
from tests.keys import HEADERS, KEY
from tests.sockets import connect, read_answer, read_to_end
from tests.waiting import until

MEBIBYTE = 1024**2
SENT = 64 * MEBIBYTE
GROWTH = 48 * MEBIBYTE
"""Two reads of every connection, and what the allocator keeps; far below what is sent."""
CONNECTIONS = 50

HEAD = b"POST /v1/models HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def send_on(peer: socket.socket, piece: bytes, most: int) -> int:
    """How many bytes were taken before the other end closed."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < most:
            sent += peer.send(piece)
    return sent


def memory(api: Api) -> int:
    return psutil.Process(api.pid).memory_info().rss


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (CHUNKED + b"0\r\n", b"a:b\r\n" * 20_000),
        (CHUNKED + b"0\r\nx: ", b"y" * 100_000),
        (CHUNKED + b"1;x=", b"y" * 100_000),
        (HEAD, b"a:b\r\n" * 20_000),
        (HEAD + b"x: ", b"y" * 100_000),
        (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 4_000),
    ],
    ids=["trailers", "a trailer", "a chunk extension", "headers", "a header", "requests"],
)
def test_without_end(api: Api, opening: bytes, piece: bytes) -> None:
    before = memory(api)
    with connect(api.port) as peer:
        peer.sendall(opening)
        assert send_on(peer, piece, SENT) < SENT
    assert memory(api) - before < GROWTH
    assert api.client.get("/livez").status_code == 200


def test_many_short_header_lines_on_many_connections(api: Api) -> None:
    """Each of five bytes would take a hundred and more."""
    before = memory(api)
    with contextlib.ExitStack() as open_connections:
        for _ in range(CONNECTIONS):
            peer = open_connections.enter_context(connect(api.port))
            peer.sendall(HEAD + b"a:b\r\n" * 20_000)
        until(lambda: api.client.get("/livez").status_code == 200)
        assert memory(api) - before < GROWTH


def test_trailers_are_read_by_nobody(api: Api) -> None:
    """The request before them is answered as usual, and so is the next one on the same connection."""
    body = b'10\r\n{"name": "name"}\r\n0\r\nContent-Type: text/plain\r\nX-Request-Id: trailer\r\n\r\n'
    lines = f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(api.port) as peer:
        for _ in range(2):
            peer.sendall(HEAD.replace(b"models", b"datasets") + lines.encode() + body)
            status, headers, _ = read_answer(peer)
            assert status == 201
            assert "x-request-id: trailer" not in headers


@pytest.mark.parametrize(
    "framed",
    [
        b'Content-Length: 13\r\n\r\n{"name": "h"}\r\n',
        b'Transfer-Encoding: chunked\r\n\r\n7\r\n{"name"\r\n6\r\n: "h"}\r\n0\r\n\r\n',
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 20, 33])
def test_another_protocol_that_is_offered_loses_no_byte(api: Api, framed: bytes, cut: int) -> None:
    """As Java's client and `curl --http2` do by default: HTTP/1.1 answers, whatever comes in which packet."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    known = f"Authorization: {HEADERS['Authorization']}\r\nContent-Type: application/json\r\n".encode()
    head = HEAD.replace(b"models", b"datasets") + known + offer
    next_one = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + offer + b"Content-Length: 0\r\n\r\n"
    with connect(api.port) as peer:
        for _ in range(2):
            peer.sendall(head + framed[:cut])
            peer.sendall(framed[cut:] + next_one)
            answers = b""
            while not answers.endswith(b'{"status":"ok"}'):
                received = peer.recv(65536)
                assert received, answers
                answers += received
            first, _, second = answers.partition(b"HTTP/1.1 200 ")
            assert first.startswith(b"HTTP/1.1 201 ")
            assert b'"name":"h"' in first
            assert second
            assert b"upgrade" not in answers.lower()


def test_a_refusal_arrives_at_whoever_still_sends(api: Api) -> None:
    """With the headers that every answer has."""
    with connect(api.port) as peer:
        sent = send_on(peer, HEAD + b"X-Long: " + b"x" * 400_000, 400_000)
        assert sent >= 400_000
        peer.shutdown(socket.SHUT_WR)
        answer = read_to_end(peer)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"x-content-type-options: nosniff" in answer
    assert b"x-request-id: " in answer
