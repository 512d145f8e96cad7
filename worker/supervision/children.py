"""The children of a worker: warm ones that keep their models, a spare one that waits, and fresh ones."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from app.settings import Settings
from worker.supervision.process import ChildProcess


class Acquaintance(NamedTuple):
    """What a warm child has seen: one tenant's models, by digest. It is never shown others."""

    tenant_id: UUID
    models: frozenset[str]


class Children:
    """To be used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spare: ChildProcess | None = None
        self._warm: OrderedDict[Acquaintance, ChildProcess] = OrderedDict()

    def prepare(self) -> None:
        """Start a child that has seen nothing; it is not waited for."""
        if self._spare is None or not self._spare.alive:
            _kill(self._spare)
            self._spare = ChildProcess(self._settings)

    @contextmanager
    def warm(self, acquaintance: Acquaintance) -> Iterator[ChildProcess]:
        """The child that has the models loaded; killed where the block is left in the middle of a conversation."""
        child = self._warm.pop(acquaintance, None)
        if child is None or not child.alive:
            _kill(child)
            child = self._take_spare()
        try:
            yield child
        finally:
            self._warm[acquaintance] = child
            if not child.idle:
                _kill(self._warm.pop(acquaintance))
            while len(self._warm) > self._settings.warm_children:
                _kill(self._warm.popitem(last=False)[1])

    @contextmanager
    def fresh(self) -> Iterator[ChildProcess]:
        """A child that has seen nothing, killed at the end of the block; the next one starts then."""
        child = self._take_spare()
        try:
            yield child
        finally:
            child.kill()
            self.prepare()

    def close(self) -> None:
        """Kill them all."""
        for child in (self._spare, *self._warm.values()):
            _kill(child)
        self._spare = None
        self._warm.clear()

    def _take_spare(self) -> ChildProcess:
        spare, self._spare = self._spare, None
        if spare is not None and spare.alive:
            return spare
        _kill(spare)
        return ChildProcess(self._settings)


def _kill(child: ChildProcess | None) -> None:
    if child is not None:
        child.kill()
