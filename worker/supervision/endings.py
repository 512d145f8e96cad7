"""How a child may end before its work does."""

import signal
from enum import StrEnum

from app.errors import InputFailure, TransientFailure
from worker.wire.replies import Failed


class End(StrEnum):
    """Why it ended; the values are the problem codes of a model that is looked into."""

    CRASHED = "model-crashed-worker"
    TOO_SLOW = "model-too-slow"
    TOO_MUCH_MEMORY = "model-needs-too-much-memory"
    TOO_MUCH_SPACE = "model-needs-too-much-space"


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


class DeviceFailed(Exception):
    """The device failed under the child, which is of no use any more. ``detail`` is what its driver said."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


_SIGNALS = {
    signal.SIGXCPU: (End.TOO_SLOW, "It used up its processor time."),
    signal.SIGXFSZ: (End.TOO_MUCH_SPACE, "It wrote a file that is too long."),
    signal.SIGSYS: (End.CRASHED, "It made a forbidden system call (SIGSYS)."),
}


def death_of(status: int) -> ChildDied:
    """Of a process that ended by itself, or by somebody else's signal."""
    if status >= 0:
        return ChildDied(End.CRASHED, f"It ended with status {status}.")
    try:
        number = signal.Signals(-status)
    except ValueError:
        return ChildDied(End.CRASHED, f"It was ended by signal {-status}.")
    return ChildDied(*_SIGNALS.get(number, (End.CRASHED, f"It was ended by {number.name}.")))


def failure_of(reply: Failed, memory_limit: str) -> Exception:
    """What its parent raises for a failure that the child reports."""
    match reply.failure:
        case "input":
            return InputFailure(reply.code, reply.detail, **reply.facts)
        case "transient" | "sandbox":
            return TransientFailure(reply.code, reply.detail)
        case "gpu-memory" | "device":
            return OutOfGpuMemory(reply.detail) if reply.failure == "gpu-memory" else DeviceFailed(reply.detail)
        case "memory":
            return ChildDied(End.TOO_MUCH_MEMORY, f"It could not get more memory ({memory_limit}).")
        case "space":
            return ChildDied(End.TOO_MUCH_SPACE, f"It could not write: {reply.detail}.")
        case "crash":
            return ChildDied(End.CRASHED, f"It ended with {reply.detail}.")
