"""The compiled inner loops, where there are any, and threads that share them out, without torch.

They are never the only way: where this was installed without a compiler, NumPy, OpenCV, SciPy and torch give the same
numbers.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

try:
    from worker.functional import _native as native
except ImportError:
    native = None  # type: ignore[assignment]

__all__ = ["native", "share_out"]


def share_out(work: Callable[[slice], None], count: int, threads: int | None = None) -> None:
    """Call ``work`` on slices of 0..count, one a thread (a core each where nobody says how many); compiled loops let go
    of the interpreter's lock."""
    threads = threads or os.cpu_count() or 1
    size = max(1, -(-count // threads))
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    # The caller takes the first: to wake a thread costs as much as a small share does.
    others = [_pool(threads).submit(work, part) for part in parts[1:]]
    for part in parts[:1]:
        work(part)
    for other in others:
        other.result()


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="native")
