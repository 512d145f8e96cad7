"""Raw connections to an API: an answer comes in as many pieces as the network likes, so nobody reads only once."""

import socket
from http.client import HTTPResponse

from tests.waiting import PATIENCE_SECONDS


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def read_answer(peer: socket.socket) -> tuple[int, str, bytes]:
    """Status, headers and body of one whole answer; the connection stays open for the next."""
    answer = HTTPResponse(peer)
    answer.begin()
    body = answer.read()
    return answer.status, str(answer.headers), body


def read_to_end(peer: socket.socket) -> bytes:
    """Until the other end closes: it does not hang."""
    parts = []
    while part := peer.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def read_head(peer: socket.socket) -> bytes:
    """One head, to its empty line and not a byte further."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and (byte := peer.recv(1)):
        head += byte
    return head
