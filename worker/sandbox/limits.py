"""Limits on what a process may take (setrlimit), soft and hard at once, so that nothing takes them back."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

MORE_TASKS = 1024
MORE_FILES = 256

PROC = Path("/proc")


def limit_process(file_bytes: int) -> None:
    """Cores, the length of a file, open files, tasks. Raises OSError and ValueError.

    The kernel counts the tasks of a user, wherever they run, and root's not at all.
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_NOFILE, count_in(PROC / "self" / "fd") + MORE_FILES)
    _lower(resource.RLIMIT_NPROC, _tasks_of_user() + MORE_TASKS)


def limit_memory(status: BinaryIO, more_bytes: int) -> None:
    """Address space and data, ``more_bytes`` beyond what is mapped now.

    Not for processes that use a GPU: its driver maps more than it ever uses. ``status`` is /proc/self/status, opened
    while that could be opened. Raises OSError and ValueError.
    """
    status.seek(0)
    lines = status.read().decode("ascii", errors="replace").splitlines()
    facts = (line.partition(":") for line in lines)
    has = {name: int(rest.split()[0]) * 1024 for name, _, rest in facts if rest.endswith("kB")}
    _lower(resource.RLIMIT_AS, has["VmSize"] + more_bytes)
    _lower(resource.RLIMIT_DATA, has["VmData"] + more_bytes)


def count_in(folder: Path) -> int:
    """Entries of a folder."""
    return sum(1 for _ in folder.iterdir())


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard in {resource.RLIM_INFINITY, -1} else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))


def _tasks_of_user() -> int:
    own, count = os.getuid(), 0
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == own:
                count += count_in(folder / "task")
    return count
