"""The states of a child, as its parent sees it."""

from enum import Enum, auto


class State(Enum):
    """REQUESTED -> FORKED -> BUSY <-> IDLE; from each of them to ENDED, and from no other state back to IDLE.

    Whoever leaves a conversation in the middle leaves a child that is neither idle nor ended: it cannot be used again.
    """

    REQUESTED = auto()
    """The forkserver was asked for it."""
    FORKED = auto()
    """It has a process id, and builds its sandbox."""
    BUSY = auto()
    """It is ready, or has a job."""
    IDLE = auto()
    """Stopped (SIGSTOP) until the next job: whatever a model may have left running there stands still."""
    ENDED = auto()
    """By itself, or killed."""
