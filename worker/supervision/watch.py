"""The limits that a parent enforces from outside, while its child is at work."""

import os
import resource
import time
from contextlib import suppress
from pathlib import Path

from app.settings import Settings
from worker.supervision.endings import ChildDied, End
from worker.supervision.environment import Scratch
from worker.supervision.memory import memory_limit, parent_of, taken_by

TICK_SECONDS = 0.2
_THREADS_OF_A_CORE = 4
_MORE_THREADS = 128
# The clock comes first: it says why.
_SLACK_SECONDS = 10.0


class Watch:
    """Memory, threads, scratch files, processor time."""

    def __init__(self, settings: Settings, scratch: Scratch) -> None:
        self.memory_bytes = memory_limit(settings.child_memory_bytes, settings.device)
        self._step_seconds = settings.child_batch_seconds
        self._space = (settings.child_scratch_bytes, settings.child_scratch_files)
        self._threads = _THREADS_OF_A_CORE * (os.cpu_count() or 1) + _MORE_THREADS
        self._scratch = scratch
        self._looked_at = 0.0
        self._base_bytes = 0
        self._decoders: tuple[int, ...] = ()

    def begin(self, pid: int, decoders: tuple[int, ...]) -> None:
        """What it has taken by now is not its models', nor its pictures'."""
        self._decoders = decoders
        self._base_bytes = taken_by(pid, *decoders).memory_bytes

    def look(self, pid: int) -> None:
        """Once a tick. Raises ChildDied."""
        now = time.monotonic()
        if now - self._looked_at < TICK_SECONDS:
            return
        self._looked_at = now
        taken = taken_by(pid, *self._decoders)
        if taken.memory_bytes - self._base_bytes > self.memory_bytes:
            raise ChildDied(End.TOO_MUCH_MEMORY, f"It took too much memory ({self.limit_text()}).")
        if taken.threads > self._threads:
            raise ChildDied(End.TOO_MUCH_MEMORY, f"It started more than {self._threads} threads.")
        if self._scratch.holds_more_than(*self._space):
            raise ChildDied(End.TOO_MUCH_SPACE, "It wrote more files than it may, or longer ones.")

    def allow_a_step(self, pid: int) -> None:
        """Processor time for one more step, on all cores: it ends even a child whose parent does not look."""
        for process in (pid, *(one for one in self._decoders if parent_of(one) == pid)):
            with suppress(OSError, ValueError):
                used = processor_seconds(process)
                more = int(used + (self._step_seconds + _SLACK_SECONDS) * (os.cpu_count() or 1))
                _, hard = resource.prlimit(process, resource.RLIMIT_CPU)
                resource.prlimit(process, resource.RLIMIT_CPU, (more, hard))

    def limit_text(self) -> str:
        return f"the limit is {self.memory_bytes} bytes"


def processor_seconds(pid: int) -> float:
    """Used by all threads of a process since its start. Raises OSError."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
