"""How long a child waited for its parent to read for it: that time is the store's or the source's, not the child's."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class ReadingClock:
    """Runs while at least one read is under way; threads that serve a child start and stop it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._since = 0.0
        self._seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """While one thing is read."""
        with self._lock:
            if not self._under_way:
                self._since = time.monotonic()
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                if not self._under_way:
                    self._seconds += time.monotonic() - self._since

    def seconds(self) -> float:
        """In all, the read that is under way included."""
        with self._lock:
            return self._seconds + (time.monotonic() - self._since if self._under_way else 0.0)
