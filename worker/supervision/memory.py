"""How much memory a child takes, and how much it may take."""

import os
from pathlib import Path
from typing import NamedTuple

from app.domain.vocabulary import DeviceClass
from app.settings import GIBIBYTE
from worker.machine.device_class import device_class

SHARE = 0.75
CPU_BYTES = 4 * GIBIBYTE
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_TAKEN = ("RssAnon", "RssShmem", "VmSwap")


class MemoryUse(NamedTuple):
    """Bytes that nobody else could use: pages of mapped files, which the kernel may drop, do not count."""

    memory_bytes: int
    threads: int


def memory_limit(wanted_bytes: int, device: str) -> int:
    """The setting; 0 takes three quarters of what the machine, or the container, has, and on a CPU 4 GiB at most."""
    most = int(SHARE * min([_machine_bytes(), *_container_limits()]))
    if device_class(device) is DeviceClass.CPU:
        most = min(most, CPU_BYTES)
    return wanted_bytes or most


def taken_by(pid: int, *decoders: int) -> MemoryUse:
    """By a process together with its decoders; nothing where they are gone, or the system has no /proc."""
    own = _facts(pid)
    theirs = [facts for facts in map(_facts, decoders) if facts.get("PPid") == str(pid)]
    taken = sum(int(facts.get(name, 0)) for facts in (own, *theirs) for name in _TAKEN)
    return MemoryUse(taken * 1024, int(own.get("Threads", 0)))


def parent_of(pid: int) -> int | None:
    """None where there is no such process any more: its number may be another's by and by."""
    parent = _facts(pid).get("PPid")
    return None if parent is None else int(parent)


def _facts(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    return {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest.strip()}


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _container_limits() -> list[int]:
    """Version 2 says "max" where there is no limit."""
    texts = [path.read_text(encoding="ascii").strip() for path in _LIMITS if path.exists()]
    return [int(text) for text in texts if text.isdigit()]
