"""Starts children in order, restarts what dies, stops all in reverse order. Knows nothing of what they are."""

import logging
import signal
import time
from collections import deque
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from app.embedded.process import POLL_SECONDS, Child, ChildSpec
from app.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_RESTARTS = 5
WITHIN_SECONDS = 30.0


class Supervisor:
    """Children live as long as the block; a child that ends by itself is started again.

    One that ends more than five times within thirty seconds ends them all with Unavailable. At the end they stop one
    after the other, the last first, or ``together`` where none needs another.
    """

    def __init__(self, *, together: bool = False) -> None:
        self._together = together
        self._children: list[Child] = []
        self._deaths: dict[str, deque[float]] = {}
        self._asked_to_stop = False

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._together:
            for child in self._children:
                child.ask_to_stop()
        for child in reversed(self._children):
            child.stop()

    def start(self, spec: ChildSpec) -> None:
        """Start a child and wait until it is ready."""
        child = Child(spec)
        self._children.append(child)
        child.wait_ready()

    def pids(self) -> dict[str, int]:
        """Of the children that run now, by name."""
        return {child.spec.name: child.pid for child in self._children}

    def watch(self, pid_file: Path | None = None) -> None:
        """Restart what dies until SIGINT or SIGTERM arrives. ``pid_file`` tells an operator who is who."""
        self._write(pid_file)
        while not self._asked_to_stop:
            for place, child in enumerate(self._children):
                if child.exit_status is not None and not self._asked_to_stop:
                    self._children[place] = self._restarted(child)
                    self._write(pid_file)
            time.sleep(POLL_SECONDS)
        if pid_file is not None:
            pid_file.unlink(missing_ok=True)

    def _restarted(self, child: Child) -> Child:
        """A group whose leader died may have members left; they go before the new one comes."""
        name, now = child.spec.name, time.monotonic()
        logger.warning("%s ended with status %s and is started again", name, child.exit_status)
        child.kill()
        deaths = self._deaths.setdefault(name, deque(maxlen=MAX_RESTARTS))
        if len(deaths) == MAX_RESTARTS and now - deaths[0] < WITHIN_SECONDS:
            raise Unavailable("child-crash-loop", f"{name} ended again and again.\n{child.log_tail()}")
        deaths.append(now)
        time.sleep(min(0.2 * len(deaths), 1.0))
        return Child(child.spec)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _write(self, pid_file: Path | None) -> None:
        if pid_file is None:
            return
        draft = pid_file.with_suffix(".tmp")
        draft.write_text("".join(f"{name} {pid}\n" for name, pid in self.pids().items()), encoding="utf-8")
        draft.replace(pid_file)
