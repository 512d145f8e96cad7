"""The compiled inner loops beside torch, shared out among as many threads as torch has."""

from collections.abc import Callable

import torch

from worker.functional import compiled
from worker.functional.compiled import native

__all__ = ["WORTH_THREADS", "native", "share_out"]

WORTH_THREADS = 100_000
"""Cells of all maps together: fewer take less time than to wake a thread."""


def share_out(work: Callable[[slice], None], count: int) -> None:
    """Call ``work`` on slices of 0..count, one a torch thread."""
    compiled.share_out(work, count, torch.get_num_threads())
