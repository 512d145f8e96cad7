"""What a child prints: drained, so that it never waits, and forgotten but for its end."""

import os
import threading

TAIL_BYTES = 4096
_SECONDS = 0.5
_CHUNK = 1024**2


class Tail:
    """The last bytes that come out of a pipe, read by a thread until its writers are gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._last = b""
        self._thread = threading.Thread(target=self._drain, name="child-output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """For people; of a child that has ended, it is all there."""
        self._thread.join(timeout=_SECONDS)
        return self._last.decode("utf-8", errors="replace").strip()

    def _drain(self) -> None:
        while data := os.read(self._descriptor, _CHUNK):
            self._last = (self._last + data)[-TAIL_BYTES:]
        os.close(self._descriptor)
