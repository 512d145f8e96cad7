"""The child's main function: started by worker.supervision.launch, talks to the worker over the inherited socket."""

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

from worker.wire.channel import Channel, ChannelClosed
from worker.wire.jobs import Start

_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> int:
    """Serve jobs until the parent closes the socket; the exit status."""
    _die_with(parent)
    _die_before_the_parent()
    channel = Channel(socket.socket(fileno=descriptor), takes_descriptors=True)
    try:
        frame = channel.receive()
    except ChannelClosed:
        return 0
    if frame is None:
        return 1
    start = Start.model_validate_json(frame.body)
    # Before the libraries are imported that read these.
    os.environ |= start.environment
    from worker.child.server import serve  # noqa: PLC0415 - torch takes seconds, in which the parent might die

    return serve(channel, start)


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
