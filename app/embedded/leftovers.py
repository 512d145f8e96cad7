"""What a killed Postgres leaves behind in its cluster's folder, and would keep the next one from starting."""

import contextlib
import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.errors import Unavailable

WAIT_SECONDS = 20.0
POLL_SECONDS = 0.05


def title_of(cluster: Path) -> str:
    """``cluster_name`` of the server: Postgres shows it in the command line of every process that belongs to it.

    Command lines can be read by everybody; working folders of another user's processes cannot, by root either, in a
    container without CAP_SYS_PTRACE.
    """
    return f"salience-{hashlib.sha256(str(cluster).encode()).hexdigest()[:16]}"


def clear_leftovers(cluster: Path) -> None:
    """Make the folder startable. Raises Unavailable where a server still runs in it.

    A server whose service was killed has been told by the kernel to shut down: it is waited for. Backends whose server
    was killed hold its shared memory until their query is over, so they are killed: recovery makes good what they did.
    """
    title = title_of(cluster)
    _wait_until_gone(lambda: _servers(title), f"A Postgres server still runs in {cluster}")
    for pid in _backends(title):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _wait_until_gone(lambda: _backends(title), f"Processes of a killed Postgres server still run in {cluster}")
    _forget_recycled_pid(cluster / "postmaster.pid")


def _wait_until_gone(find: Callable[[], Iterator[int]], problem: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while pids := list(find()):
        if time.monotonic() > deadline:
            raise Unavailable("cluster-in-use", f"{problem}: {pids}.")
        time.sleep(POLL_SECONDS)


def _servers(title: str) -> Iterator[int]:
    wanted = f"cluster_name={title}"
    return (pid for pid, words in _command_lines() if wanted in words and Path(words[0]).name == "postgres")


def _backends(title: str) -> Iterator[int]:
    return (pid for pid, words in _command_lines() if words[0].startswith(f"postgres: {title}: "))


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    """Of everything that runs; kernel threads and processes that have ended have none."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if line := (folder / "cmdline").read_text(errors="replace"):
                yield int(folder.name), line.split("\0")


def _forget_recycled_pid(file: Path) -> None:
    """Postgres will not start while the pid in its file lives, though it be another program's by now."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(file.read_text().splitlines()[0])
        if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
            file.unlink()
