"""The children of a worker: warm ones that keep their models, and fresh ones."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from app.settings import Settings
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess, State


class Acquaintance(NamedTuple):
    """What a warm child has seen: one tenant's models, by digest. It is never shown others."""

    tenant_id: UUID
    models: frozenset[str]


class Children:
    """To be used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._forkserver: Forkserver | None = None
        self._warm: OrderedDict[Acquaintance, ChildProcess] = OrderedDict()

    def prepare(self) -> Forkserver:
        """Where children come from; that it starts is not waited for."""
        if self._forkserver is None or not self._forkserver.alive:
            self.close()
            self._forkserver = Forkserver()
        return self._forkserver

    @contextmanager
    def warm(self, acquaintance: Acquaintance) -> Iterator[ChildProcess]:
        """The child that has the models loaded; killed where the block is left in the middle of a conversation."""
        child = self._warm.pop(acquaintance, None)
        if child is None or not child.alive:
            _kill(child)
            child = ChildProcess(self._settings, self.prepare())
        try:
            yield child
        finally:
            self._warm[acquaintance] = child
            if child.state is not State.IDLE:
                _kill(self._warm.pop(acquaintance))
            while len(self._warm) > self._settings.warm_children:
                _kill(self._warm.popitem(last=False)[1])

    @contextmanager
    def fresh(self) -> Iterator[ChildProcess]:
        """A child that has seen nothing, killed at the end of the block."""
        child = ChildProcess(self._settings, self.prepare())
        try:
            yield child
        finally:
            child.kill()

    def close(self) -> None:
        """Kill them all."""
        while self._warm:
            _kill(self._warm.popitem()[1])
        if self._forkserver is not None:
            self._forkserver.close()
            self._forkserver = None


def _kill(child: ChildProcess | None) -> None:
    if child is not None:
        child.kill()
