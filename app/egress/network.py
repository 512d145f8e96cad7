"""Connections to addresses that were checked, with an end to every exchange."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookUpTimeout
from dataclasses import dataclass
from typing import Any

import httpcore

from app.egress.addresses import AddressGuard, is_literal
from app.egress.metering import Meter
from app.errors import AddressNotAllowed, EgressFailure

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host. Raises OSError."""
_PIECE = 65_536


def system_resolve(host: str, port: int) -> list[str]:
    """As the system's resolver has them, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@dataclass(frozen=True)
class Pace:
    """The least that must come: bytes a second, over every so many seconds of waiting for them; 0: anything."""

    least: int = 0
    over_seconds: float = 30.0


class Deadline:
    """When an exchange must be over, with whatever it is redirected to; every wait is cut to what is left."""

    def __init__(self) -> None:
        self._at = 0.0
        self._pace = Pace()
        self._waited = 0.0
        self._came = 0

    def start(self, seconds: float, pace: Pace | None = None) -> None:
        self._at = time.monotonic() + seconds
        self._pace = pace or Pace()
        self._waited, self._came = 0.0, 0

    def came(self, size: int, waited_seconds: float) -> None:
        """So many bytes, after so long. Raises EgressFailure where that is too slow; what we do with them costs none
        of the time."""
        self._came += size
        self._waited += waited_seconds
        if self._waited < self._pace.over_seconds:
            return
        if self._came < self._pace.least * self._waited:
            detail = f"The address sends fewer than {self._pace.least} bytes a second."
            raise EgressFailure("answer-too-slow", detail, passing=True)
        self._waited, self._came = 0.0, 0

    def left(self, most: float | None) -> float:
        """Seconds. Raises EgressFailure where none are left."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise EgressFailure("answer-too-slow", "The exchange took longer than it may.", passing=True)
        return left if most is None else min(left, most)


class GuardedNetwork(httpcore.NetworkBackend):
    """Resolves once, refuses, and connects to what it has checked: a second look-up would be another answer."""

    def __init__(
        self, guard: AddressGuard, deadline: Deadline, meter: Meter, resolve: Resolve = system_resolve
    ) -> None:
        self._guard = guard
        self._deadline = deadline
        self._meter = meter
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """To the first of the host's addresses that answers; a host with one that is refused is refused."""
        del local_address
        addresses = [host] if is_literal(host) else self._look_up(host, port)
        for address in addresses:
            self._guard.check_address(address)
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(timeout), socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _LimitedStream(self._checked(stream, address), self._deadline, self._meter)
        raise failure or EgressFailure("address-not-found", "The host's name has no address.", passing=True)

    def _checked(self, stream: httpcore.NetworkStream, address: str) -> httpcore.NetworkStream:
        """The other end is who was called, whatever the system has done in between."""
        peer = str(stream.get_extra_info("server_addr")[0])
        if peer != address:
            stream.close()
            raise AddressNotAllowed("The connection leads to another address than was called.")
        return stream

    def _look_up(self, host: str, port: int) -> list[str]:
        """The system's resolver has no time limit of its own, so it is asked from a thread that may be left behind."""
        asking = ThreadPoolExecutor(1, thread_name_prefix="look-up")
        try:
            return asking.submit(self._resolve, host, port).result(self._deadline.left(None))
        except LookUpTimeout as error:
            detail = "The host's name could not be looked up in time."
            raise EgressFailure("answer-too-slow", detail, passing=True) from error
        except (OSError, UnicodeError) as error:
            raise EgressFailure("address-not-found", "The host's name has no address.", passing=True) from error
        finally:
            asking.shutdown(wait=False)


class _LimitedStream(httpcore.NetworkStream):
    """A connection whose waits end with the exchange, and whose bytes are counted."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, meter: Meter) -> None:
        self._stream = stream
        self._deadline = deadline
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        begun = time.monotonic()
        data = self._stream.read(max_bytes, self._deadline.left(timeout))
        self._deadline.came(len(data), time.monotonic() - begun)
        self._meter.moved(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._stream.write(piece, self._deadline.left(timeout))
            self._meter.moved(len(piece))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _LimitedStream(stream, self._deadline, self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
