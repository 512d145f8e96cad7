"""The fork behind a child: asked for, given a process id, signalled, ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

from worker.supervision.endings import ChildDied, End
from worker.supervision.events import TICK, Tick
from worker.supervision.forkserver import Forkserver
from worker.supervision.watch import TICK_SECONDS
from worker.wire.channel import ChannelClosed
from worker.wire.start import Start


class Fork:
    """One that a forkserver is asked for; ``descriptors`` are the child's ends of its socket and of its output."""

    def __init__(self, forkserver: Forkserver, start: Start, descriptors: tuple[int, int]) -> None:
        self._forkserver = forkserver
        self._pid: int | None = None
        self._status: int | None = None
        self._number = 0
        with suppress(ChannelClosed):  # which whoever waits for it is told
            self._number = forkserver.request_fork(start, descriptors)

    @property
    def pid(self) -> int:
        """Raises ChildDied where it is not forked yet."""
        if self._pid is None:
            raise ChildDied(End.CRASHED, "It was never forked.")
        return self._pid

    @property
    def is_there(self) -> bool:
        """Whether it has a process id, of a process that may have ended."""
        return self._pid is not None

    @property
    def has_ended(self) -> bool:
        """Whether its end was seen."""
        return self._status is not None

    @property
    def alive(self) -> bool:
        """Whether it runs, or may yet be forked."""
        return self._forkserver.alive and self.exit_status(0) is None

    def arrive(self, seconds: float) -> Iterator[Tick]:
        """Until it has a process id. Raises ChildDied."""
        deadline = time.monotonic() + seconds
        try:
            while self._pid is None:
                self._pid = self._forkserver.collect(self._number, TICK_SECONDS)
                if time.monotonic() > deadline:
                    raise ChildDied(End.TOO_SLOW, "It was not forked in time.")
                yield TICK
        except ChannelClosed as error:
            raise ChildDied(End.CRASHED, "The process that forks children is gone.") from error

    def exit_status(self, seconds: float) -> int | None:
        """None where it lives on after so many seconds, or is not forked yet."""
        if self._status is None and self._pid is not None:
            try:
                self._status = self._forkserver.exit_status(self._pid, seconds)
            except ChannelClosed:
                # It went with the forkserver.
                self._status = -signal.SIGKILL
        return self._status

    def signal(self, number: signal.Signals) -> None:
        """To it and its decoders, which are of its process group. Raises ChildDied where it is not forked yet."""
        if self._status is None:  # else the number may be another process's by now
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def last_words(self) -> str:
        """The end of what the forkserver printed."""
        return self._forkserver.last_words()
