"""Frames over a socket pair: two lengths, a JSON body, bytes. The reader decides how much it takes.

The worker may send open files along with a frame; the child cannot, since the worker does not listen for them.
"""

import socket
import struct
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel

MAX_BYTES = 512 * 1024**2
MAX_ANSWER_BODY = 16 * 1024**2
"""Of JSON from a child, which is parsed at once; parts of weights and maps lie behind it."""
MAX_DESCRIPTORS = 200
_LENGTHS = struct.Struct(">II")
_CHUNK = 1024**2
_SHORTEST_WAIT = 0.001


class Frame(NamedTuple):
    """A JSON document, the bytes that belong to it, and the files."""

    body: bytes
    blob: bytes
    descriptors: tuple[int, ...] = ()


class ChannelClosed(Exception):
    """The other side is gone, does not read, or does not keep to the form."""


class Channel:
    """One end of the pair. Any thread may send; one receives."""

    def __init__(self, end: socket.socket, *, takes_descriptors: bool = False, most_body: int = MAX_BYTES) -> None:
        self._socket = end
        self._most_body = most_body
        self._takes_descriptors = takes_descriptors
        self._received = bytearray()
        self._descriptors: list[int] = []
        self._sending = threading.Lock()

    def send(
        self, message: BaseModel, blob: bytes = b"", *, timeout: float | None = None, descriptors: Sequence[int] = ()
    ) -> None:
        """Blocks until all is taken, ``timeout`` seconds at most. Raises ChannelClosed."""
        body = message.model_dump_json().encode()
        head = _LENGTHS.pack(len(body), len(blob)) + body
        with self._sending:
            self._socket.settimeout(timeout)
            try:
                sent = socket.send_fds(self._socket, [head], list(descriptors)) if descriptors else 0
                self._socket.sendall(head[sent:])
                self._socket.sendall(blob)
            except OSError as error:
                raise ChannelClosed(f"nothing can be sent: {type(error).__name__}") from error

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The next frame, None where it is not complete after ``timeout`` seconds. Raises ChannelClosed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (frame := self._take()) is None:
            try:
                self._socket.settimeout(deadline and max(deadline - time.monotonic(), _SHORTEST_WAIT))
                data = self._read()
            except TimeoutError:
                return None
            except OSError as error:
                raise ChannelClosed(f"nothing can be received: {type(error).__name__}") from error
            if not data:
                raise ChannelClosed("the other side is gone")
            self._received += data
        return frame

    def wait(self) -> Frame:
        """The next frame, however long it takes. Raises ChannelClosed."""
        while (frame := self.receive()) is None:
            pass
        return frame

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> bytes:
        if not self._takes_descriptors:
            return self._socket.recv(_CHUNK)
        data, descriptors, _, _ = socket.recv_fds(self._socket, _CHUNK, MAX_DESCRIPTORS)
        self._descriptors += descriptors
        return data

    def _take(self) -> Frame | None:
        if len(self._received) < _LENGTHS.size:
            return None
        body, blob = _LENGTHS.unpack_from(self._received)
        if body > self._most_body or body + blob > MAX_BYTES:
            raise ChannelClosed(f"a frame of {body + blob} bytes")
        middle, end = _LENGTHS.size + body, _LENGTHS.size + body + blob
        if len(self._received) < end:
            return None
        descriptors, self._descriptors = tuple(self._descriptors), []
        with memoryview(self._received) as received:  # a slice of the bytes themselves would be copied twice
            frame = Frame(bytes(received[_LENGTHS.size : middle]), bytes(received[middle:end]), descriptors)
        del self._received[:end]
        return frame
