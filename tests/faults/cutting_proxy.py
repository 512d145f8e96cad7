"""A line to Postgres that is cut in the COMMIT of a shard: its sender cannot know whether it was carried out."""

import contextlib
import socket
import threading
import time

WRITES_SCORES = b"INSERT INTO sample_scores"
COMMITS = b"COMMIT"
CHUNK_BYTES = 65_536
TAIL_BYTES = len(WRITES_SCORES) - 1
# For the server to carry out what it was told.
CARRIED_OUT_SECONDS = 0.5


class Heard:
    """Looks for a COMMIT behind a write of scores, though the line may bring either in two pieces."""

    def __init__(self) -> None:
        self._has_written = False
        self._tail = b""

    def commits(self, data: bytes) -> bool:
        """Whether the COMMIT has come, with these bytes at the latest."""
        text = self._tail + data
        if not self._has_written:
            before, marker, after = text.partition(WRITES_SCORES)
            self._has_written, text = bool(marker), after if marker else before
        self._tail = text[-TAIL_BYTES:]
        return self._has_written and COMMITS in text


class CuttingProxy:
    """Passes bytes on; once, behind a write of scores, it cuts the line ``before`` or after the COMMIT went through.

    Before it, Postgres hears nothing of the cut, as when a cable is pulled: its transaction stays open.
    """

    def __init__(self, port: int, *, before: bool) -> None:
        self._target = port
        self._before = before
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                lost = threading.Event()
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server, lost), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        heard = Heard()
        with client, contextlib.suppress(OSError):
            while data := client.recv(CHUNK_BYTES):
                if heard.commits(data) and not self.cut.is_set():
                    self.cut.set()
                    lost.set()
                    client.shutdown(socket.SHUT_RDWR)
                    self._last_words(server, data)
                    return
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _last_words(self, server: socket.socket, data: bytes) -> None:
        if not self._before:
            server.sendall(data)
            time.sleep(CARRIED_OUT_SECONDS)

    def _to_client(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with server, contextlib.suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                if not lost.is_set():
                    client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
