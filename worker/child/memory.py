"""A wall that the child puts up against itself; the parent watches its resident memory as well."""

import resource
from pathlib import Path


def limit_data(limit_bytes: int) -> None:
    """Let the process take ``limit_bytes`` beside what it has now; further allocations fail.

    Not for processes that use a GPU: its driver maps more than it ever uses.
    """
    allowed = _data_bytes() + limit_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard in {resource.RLIM_INFINITY, -1} or hard > allowed:
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def _data_bytes() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
