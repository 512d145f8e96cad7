"""The forkserver's main function: started by worker.supervision.launch, talks to the worker over the inherited socket.

It imports everything once, runs nothing, and forks a child whenever one is wanted: that takes milliseconds, where a
fresh interpreter takes seconds to import torch.
"""

import socket

from worker.child.parent_death import die_before_the_parent, die_with
from worker.wire.channel import Channel, ChannelClosed


def main(descriptor: int, parent: int) -> int:
    """Until the parent closes the socket; the exit status."""
    die_with(parent)
    die_before_the_parent()
    from worker.child.forkserver import run_forkserver  # noqa: PLC0415 - torch takes seconds; the parent might die in them

    try:
        return run_forkserver(Channel(socket.socket(fileno=descriptor), takes_descriptors=True))
    except ChannelClosed:
        return 0
