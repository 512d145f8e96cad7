"""How much memory a child takes, and how much it may take."""

import os
from pathlib import Path

SHARE = 0.75
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_TAKEN = ("RssAnon:", "RssShmem:", "VmSwap:")


def memory_limit(wanted_bytes: int) -> int:
    """The setting; 0 takes three quarters of what the machine, or the container, has."""
    return wanted_bytes or int(SHARE * min([_machine_bytes(), *_container_limits()]))


def memory_taken(pid: int) -> int:
    """Bytes that nobody else could use: pages of mapped files, which the kernel may drop, do not count.

    0 where the process is gone, or the system has no /proc.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_TAKEN))


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _container_limits() -> list[int]:
    """Version 2 says "max" where there is no limit."""
    texts = [path.read_text(encoding="ascii").strip() for path in _LIMITS if path.exists()]
    return [int(text) for text in texts if text.isdigit()]
