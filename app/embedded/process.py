"""A child process that dies with its parent, may run as another user, and writes its output to a log."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.errors import Unavailable

_PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class ChildSpec:
    """How to start a child and how to tell that it is ready.

    ``user`` is a uid and gid to drop to; ``stop_signal`` asks it to end; ``orphan_signal`` is what the kernel sends
    it should its parent die; ``stop_seconds`` is how long it may take to end; ``prepare`` runs before every start.
    Without a ``log`` it writes where its parent does.
    """

    name: str
    command: tuple[str, ...]
    log: Path | None
    ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10.0
    start_seconds: float = 60.0


class Child:
    """A running child in a process group of its own, so that a terminal's Ctrl-C reaches the parent alone."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        spec.prepare()
        user, group = spec.user or (None, None)
        with _opened(spec.log) as log:
            self._process = subprocess.Popen(
                spec.command,
                env={**os.environ, **spec.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                cwd="/" if spec.user else None,
                user=user,
                group=group,
                extra_groups=[] if spec.user else None,
                start_new_session=True,
                preexec_fn=_die_with_parent(spec.orphan_signal),  # noqa: PLW1509 - the parent has one thread
            )
        self._asked = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait_ready(self) -> None:
        """Raises Unavailable, with the end of the log, where the child dies or takes too long."""
        deadline = time.monotonic() + self.spec.start_seconds
        while not self.spec.ready():
            if self.exit_status is not None or time.monotonic() > deadline:
                raise Unavailable("child-not-ready", f"{self.spec.name} did not start.\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Once: to be asked twice means something else to some programs."""
        if self.exit_status is None and not self._asked:
            self._process.send_signal(self.spec.stop_signal)
        self._asked = True

    def stop(self) -> None:
        """Ask, wait, and kill the whole group where asking did not help."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.spec.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """Whatever is left of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        if self.spec.log is None:
            return "What it wrote stands above."
        return "\n".join(self.spec.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        yield file


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)

    return ask_kernel
