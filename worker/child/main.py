"""The nursery's main function: started by worker.supervision.launch, talks to the worker over the inherited socket.

It imports everything once, runs nothing, and forks a child whenever one is wanted: that takes milliseconds, where a
fresh interpreter takes seconds to import torch.
"""

import os
import signal
import socket
import sys
from pathlib import Path

from worker.sandbox.kernel import prctl
from worker.wire.channel import Channel, ChannelClosed

_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> int:
    """Until the parent closes the socket; the exit status."""
    die_with(parent)
    _die_before_the_parent()
    from worker.child.nursery import keep_nursery  # noqa: PLC0415 - torch takes seconds, in which the parent might die

    try:
        return keep_nursery(Channel(socket.socket(fileno=descriptor), takes_descriptors=True))
    except ChannelClosed:
        return 0


def die_with(parent: int) -> None:
    """Asked by the child itself: between fork and exec a parent with threads may run no Python."""
    if sys.platform == "linux":
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        sys.exit(1)


def _die_before_the_parent() -> None:
    """Should the machine run out of memory, the kernel takes the child and spares the worker."""
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000", encoding="ascii")
