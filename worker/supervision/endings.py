"""How a child may end before its work does."""

import signal
from enum import StrEnum


class End(StrEnum):
    """Why it ended; the values are problem codes."""

    CRASHED = "model-crashed-worker"
    TOO_SLOW = "model-too-slow"
    TOO_MUCH_MEMORY = "model-needs-too-much-memory"


class ChildDied(Exception):
    """The child is gone, by itself or killed by its parent. ``detail`` is a sentence about it."""

    def __init__(self, end: End, detail: str) -> None:
        super().__init__(detail)
        self.end = end
        self.detail = detail


class OutOfGpuMemory(Exception):
    """The device cannot hold a micro-batch. ``detail`` is what its allocator said."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def describe_exit(status: int) -> str:
    """Of a process that ended by itself, or by somebody else's signal."""
    if status >= 0:
        return f"It ended with status {status}."
    try:
        return f"It was ended by {signal.Signals(-status).name}."
    except ValueError:
        return f"It was ended by signal {-status}."
