"""The compiled inner loops, where there are any, and threads that share them out, without torch.

They are never the only way: where this was installed without a compiler, NumPy, OpenCV, SciPy and torch give the same
numbers.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

try:
    from worker.functional import _native as native
except ImportError:
    native = None  # type: ignore[assignment]

__all__ = ["WORTH_THREADS", "native", "share_out"]

WORTH_THREADS = 100_000
"""Cells of all maps together: fewer take less time than to wake a thread."""


def share_out(work: Callable[[slice], None], count: int) -> None:
    """Call ``work`` on slices of 0..count, one a thread; compiled loops let go of the interpreter's lock."""
    threads = _thread_count()
    size = max(1, -(-count // threads))
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    # The caller takes the first: to wake a thread costs as much as a small share does.
    others = [_pool(threads).submit(work, part) for part in parts[1:]]
    for part in parts[:1]:
        work(part)
    for other in others:
        other.result()


def _thread_count() -> int:
    """Torch's, which THREADS limits, in a process that has it; else one for each core that this process may use."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="native")
