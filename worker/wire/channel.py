"""Frames over a socket pair: two lengths, a JSON body, bytes. The reader decides how much it takes."""

import socket
import struct
import time
from typing import NamedTuple

from pydantic import BaseModel

MAX_BYTES = 512 * 1024**2
_LENGTHS = struct.Struct(">II")
_CHUNK = 1024**2
_SHORTEST_WAIT = 0.001


class Frame(NamedTuple):
    """A JSON document and the bytes that belong to it."""

    body: bytes
    blob: bytes


class ChannelClosed(Exception):
    """The other side is gone, does not read, or does not keep to the form."""


class Channel:
    """One end of the pair."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._received = bytearray()

    def send(self, message: BaseModel, blob: bytes = b"", *, timeout: float | None = None) -> None:
        """Blocks until all is taken, ``timeout`` seconds at most. Raises ChannelClosed."""
        body = message.model_dump_json().encode()
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(_LENGTHS.pack(len(body), len(blob)) + body)
            self._socket.sendall(blob)
        except OSError as error:
            raise ChannelClosed(f"nothing can be sent: {type(error).__name__}") from error

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The next frame, None where it is not complete after ``timeout`` seconds. Raises ChannelClosed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (frame := self._take()) is None:
            try:
                self._socket.settimeout(deadline and max(deadline - time.monotonic(), _SHORTEST_WAIT))
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                return None
            except OSError as error:
                raise ChannelClosed(f"nothing can be received: {type(error).__name__}") from error
            if not data:
                raise ChannelClosed("the other side is gone")
            self._received += data
        return frame

    def close(self) -> None:
        self._socket.close()

    def _take(self) -> Frame | None:
        if len(self._received) < _LENGTHS.size:
            return None
        body, blob = _LENGTHS.unpack_from(self._received)
        if body + blob > MAX_BYTES:
            raise ChannelClosed(f"a frame of {body + blob} bytes")
        middle, end = _LENGTHS.size + body, _LENGTHS.size + body + blob
        if len(self._received) < end:
            return None
        frame = Frame(bytes(self._received[_LENGTHS.size : middle]), bytes(self._received[middle:end]))
        del self._received[:end]
        return frame
