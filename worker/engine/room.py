"""How much of something threads may hold together."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """For ``size`` of whatever is counted; for something larger too, while nothing else is there."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def held(self, amount: int) -> Iterator[None]:
        """Waits until it fits."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + amount <= self._size)
            self._held += amount
        try:
            yield
        finally:
            with self._changed:
                self._held -= amount
                self._changed.notify_all()
