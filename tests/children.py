"""Children of one process that forks them for all tests: to start it takes six seconds of processor time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from app.settings import Settings
from worker.lifecycle.context import WorkerContext
from worker.supervision.children import Children
from worker.supervision.forkserver import Forkserver


class BorrowedChildren(Children):
    """What they are forked from is not theirs to end."""

    def __init__(self, settings: Settings, forkserver: Forkserver) -> None:
        super().__init__(settings)
        self._forkserver = forkserver

    def prepare(self) -> Forkserver:
        assert self._forkserver is not None, "closed"
        return self._forkserver

    def close(self) -> None:
        self.end_warm()
        self._forkserver = None


@pytest.fixture(scope="session")
def forkserver() -> Iterator[Forkserver]:
    forkserver = Forkserver()
    yield forkserver
    forkserver.close()


@contextmanager
def open_context(settings: Settings, forkserver: Forkserver, name: str = "test") -> Iterator[WorkerContext]:
    """A worker's context in this process; its children end with the block."""
    own = WorkerContext.from_settings(settings, name)
    context = replace(own, children=BorrowedChildren(settings, forkserver))
    try:
        yield context
    finally:
        context.close()
