"""``python -m worker.child DESCRIPTOR PARENT``: started by the worker, talks to it over the inherited socket."""

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> int:
    """Serve jobs until the parent closes the socket."""
    _die_with(parent)
    _die_before_the_parent()
    from worker.child.server import serve  # noqa: PLC0415 - torch takes seconds, in which the parent might die
    from worker.wire.channel import Channel  # noqa: PLC0415

    return serve(Channel(socket.socket(fileno=descriptor)))


def _die_with(parent: int) -> None:
    """Asked by the child itself: between fork and exec a parent with threads may run no Python."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def _die_before_the_parent() -> None:
    """Should the machine run out of memory, the kernel takes the child and spares the worker."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000", encoding="ascii")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
