"""The children of a worker: warm ones that keep their models, and fresh ones."""

import logging
import os
import signal
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from app.domain.vocabulary import DeviceClass
from app.errors import TransientFailure
from app.settings import Settings
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess
from worker.supervision.states import State

logger = logging.getLogger(__name__)

MOST_FAILED_STARTS = 10


class PoolKey(NamedTuple):
    """Which warm child: the one that has seen these models of one tenant, by digest, and is never shown others."""

    tenant_id: UUID
    models: frozenset[str]


class Children:
    """To be used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._forkserver: Forkserver | None = None
        self._warm: OrderedDict[PoolKey, ChildProcess] = OrderedDict()
        self._failed_starts = 0

    def prepare(self) -> Forkserver:
        """Where children come from; that it starts is not waited for."""
        if self._forkserver is None or not self._forkserver.alive:
            self.close()
            self._forkserver = Forkserver()
        return self._forkserver

    @contextmanager
    def warm(self, key: PoolKey) -> Iterator[ChildProcess]:
        """The child that has the models loaded; killed where the block is left in the middle of a conversation."""
        child = self._warm.pop(key, None)
        if child is None or not child.alive:
            _kill(child)
            child = ChildProcess(self._settings, self.prepare(), decodes=True)
        try:
            with self._counting_starts():
                yield child
        finally:
            self._warm[key] = child
            if child.state is not State.IDLE:
                _kill(self._warm.pop(key))
            while len(self._warm) > self._settings.warm_children:
                _kill(self._warm.popitem(last=False)[1])

    @contextmanager
    def fresh(self, device: DeviceClass | None = None) -> Iterator[ChildProcess]:
        """A child that has seen nothing, killed at the end of the block.

        On the CPU where ``device`` says so, as for pictures: a GPU's context would take seconds and half a gigabyte.
        """
        settings = self._settings
        if device is DeviceClass.CPU:
            settings = settings.model_copy(update={"device": "cpu"})
        child = ChildProcess(settings, self.prepare())
        try:
            with self._counting_starts():
                yield child
        finally:
            child.kill()

    def end_warm(self) -> bool:
        """Gives back what they hold of a GPU; False where there were none."""
        held = bool(self._warm)
        while self._warm:
            _kill(self._warm.popitem()[1])
        return held

    def device_works(self) -> bool:
        """Whether a fresh child starts, which computes a little on its device; where it does not, the worker ends."""
        self.end_warm()
        child = ChildProcess(self._settings, self.prepare())
        try:
            child.start()
        except TransientFailure as failure:
            _end_worker(f"its device has failed, and serves no other process: {failure.detail}")
            return False
        finally:
            child.kill()
        return True

    @contextmanager
    def _counting_starts(self) -> Iterator[None]:
        """Where so many in a row do not start, none will: the worker ends, and whoever watches it is told."""
        try:
            yield
        except TransientFailure as failure:
            self._failed_starts += failure.code == "child-not-started"
            if self._failed_starts >= MOST_FAILED_STARTS:
                _end_worker(f"{self._failed_starts} children in a row did not start")
            raise
        self._failed_starts = 0

    def close(self) -> None:
        """Kill them all."""
        self.end_warm()
        if self._forkserver is not None:
            self._forkserver.close()
            self._forkserver = None


def _end_worker(why: str) -> None:
    logger.critical("this worker ends: %s", why)
    os.kill(os.getpid(), signal.SIGTERM)


def _kill(child: ChildProcess | None) -> None:
    if child is not None:
        child.kill()
