"""Parts of a stored content over a socket pair, for a reader that has no way to the store."""

import socket
import struct
from collections.abc import Callable

MOST_BYTES = 512 * 1024**2
_ASK = struct.Struct(">QI")
_LENGTH = struct.Struct(">I")
_FAILED = 2**32 - 1


class RangeFailed(Exception):
    """The store cannot be reached, or the other side is gone."""


def ask_range(line: socket.socket, offset: int, length: int) -> bytes:
    """At most ``length`` bytes; fewer at the end. Raises RangeFailed."""
    line.sendall(_ASK.pack(offset, length))
    (size,) = _LENGTH.unpack(_receive(line, _LENGTH.size))
    if size == _FAILED:
        raise RangeFailed("the store cannot be reached")
    return _receive(line, size)


def serve_ranges(line: socket.socket, read: Callable[[int, int], bytes | None]) -> None:
    """Until the other side is gone, or asks for too much; ``read`` (offset, length) gives None where it fails."""
    try:
        while True:
            offset, length = _ASK.unpack(_receive(line, _ASK.size))
            if length > MOST_BYTES:
                return
            data = read(offset, length)
            line.sendall(_LENGTH.pack(_FAILED if data is None else len(data)) + (data or b""))
    except (RangeFailed, OSError):
        return


def _receive(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            raise RangeFailed("the other side is gone")
        data += part
    return bytes(data)
