"""The children of a worker: one that stays warm, and fresh ones for what nobody has looked at yet."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.settings import Settings
from worker.supervision.process import ChildProcess


class Children:
    """To be used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warm: ChildProcess | None = None

    def prepare(self) -> ChildProcess:
        """The warm child; a new one is not waited for."""
        if self._warm is not None and not self._warm.alive:
            self.close()
        self._warm = self._warm or ChildProcess(self._settings)
        return self._warm

    @contextmanager
    def warm(self) -> Iterator[ChildProcess]:
        """The child with its loaded models; killed where the block is left in the middle of a conversation."""
        child = self.prepare()
        try:
            yield child
        finally:
            if not child.idle:
                self.close()

    @contextmanager
    def fresh(self) -> Iterator[ChildProcess]:
        """A child that has seen nothing, killed at the end of the block."""
        child = ChildProcess(self._settings)
        try:
            yield child
        finally:
            child.kill()

    def close(self) -> None:
        """Kill the warm child."""
        if self._warm is not None:
            self._warm.kill()
            self._warm = None
