"""A way to a server that counts what comes over it, and may stop in the middle."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.waiting import until

PIECE = 16_384


class CountingProxy:
    """``served`` are the bytes that came from the server; from ``hold_at`` on nothing more does, until that is None."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._there = (there.hostname or "", there.port or 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.served = 0
        self.hold_at: int | None = None
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                # What a client that is killed has not read is lost: that it be little.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
                server = socket.create_connection(self._there)
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def close(self) -> None:
        self.hold_at = None
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def is_holding(self) -> bool:
        return self.hold_at is not None and self.served >= self.hold_at

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(PIECE):
                server.sendall(piece)
        _end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE):
                with self._lock:
                    self.served += len(piece)
                client.sendall(piece)
                until(lambda: not self.is_holding())
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    """Whichever way ends first ends both."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def counting(url: str) -> Iterator[CountingProxy]:
    """In the server's place."""
    proxy = CountingProxy(url)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
