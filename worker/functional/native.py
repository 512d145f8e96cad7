"""The compiled inner loops, where there are any, and the threads that share them out.

They are never the only way: where this was installed without a compiler, torch and SciPy give the same numbers.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch

try:
    from worker.functional import _native as native
except ImportError:
    native = None  # type: ignore[assignment]

__all__ = ["WORTH_THREADS", "native", "share_out"]

WORTH_THREADS = 100_000
"""Cells of all maps together: fewer take less time than to wake a thread."""


def share_out(work: Callable[[slice], None], count: int) -> None:
    """Call ``work`` on slices of 0..count, one a torch thread; compiled loops let go of the interpreter's lock."""
    size = max(1, -(-count // torch.get_num_threads()))
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    # The caller takes the first: to wake a thread costs as much as a small share does.
    others = [_threads(torch.get_num_threads()).submit(work, part) for part in parts[1:]]
    for part in parts[:1]:
        work(part)
    for other in others:
        other.result()


@lru_cache(maxsize=4)
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="native")
