"""Processes that must not outlive the one that they work for."""

import os
import signal
import sys
from pathlib import Path

from worker.sandbox.kernel import prctl

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def die_with(parent: int) -> None:
    """Let the kernel kill this process with its parent; it ends at once where the parent is gone already.

    The child asks for it itself: between fork and exec, a parent with threads may run no Python.
    """
    if sys.platform == "linux":
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        sys.exit(1)


def adopt_orphans() -> None:
    """Let this process be the next parent of what its children leave behind, or nobody might reap it."""
    if sys.platform == "linux":
        prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_before_the_parent() -> None:
    """Should the machine run out of memory, the kernel takes this process and spares the worker."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000", encoding="ascii")
