"""Forks children that have everything imported and have seen nothing."""

import gc
import os
import socket
import tempfile
import time
from contextlib import suppress
from functools import partial
from importlib.util import find_spec

from PIL import Image

from worker.child.forks import fork
from worker.child.parent_death import adopt_orphans, die_with
from worker.child.server import serve
from worker.wire.channel import Channel
from worker.wire.forking import REQUEST, Forked, ForkRequest, Waited
from worker.wire.start import Start

_PAUSE_SECONDS = 0.01


def run_forkserver(channel: Channel) -> int:
    """Until the worker is gone. Raises ChannelClosed."""
    _import_the_rest()
    adopt_orphans()
    family = Family()
    # What is never written to stays shared by all children.
    gc.freeze()
    while True:
        frame = channel.receive()
        if frame is None:
            continue
        request = REQUEST.validate_json(frame.body)
        if isinstance(request, ForkRequest):
            channel.send(Forked(number=request.number, pid=family.fork(channel, request.start, frame.descriptors)))
        else:
            channel.send(Waited(pid=request.pid, status=family.wait(request.pid, request.seconds)))


def _import_the_rest() -> None:
    """What is otherwise imported at its first use."""
    Image.init()
    if find_spec("timm"):
        import timm  # noqa: F401, PLC0415 - an extra


class Family:
    """The children that were forked, and how they ended.

    What a child leaves behind, its decoders, falls to this process: it is reaped with the next one that is asked for.
    """

    def __init__(self) -> None:
        self._ended: dict[int, int | None] = {}

    def fork(self, channel: Channel, start: Start, descriptors: tuple[int, ...]) -> int:
        """The child's process id."""
        self._reap()
        line, output = descriptors
        pid = fork(partial(_run_child, os.getpid(), channel, start, line, output))
        for descriptor in descriptors:
            os.close(descriptor)
        self._ended[pid] = None
        return pid

    def wait(self, pid: int, seconds: float) -> int | None:
        """How a child ended, once; None where it lives on after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            self._reap()
            if self._ended.get(pid, 0) is not None:
                return self._ended.pop(pid, 0)
            if time.monotonic() > deadline:
                return None
            time.sleep(_PAUSE_SECONDS)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = found
                if pid in self._ended:
                    self._ended[pid] = os.waitstatus_to_exitcode(status)


def _run_child(parent: int, forkserver: Channel, start: Start, line: int, output: int) -> int:
    forkserver.close()
    die_with(parent)
    os.setsid()
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.chdir(start.scratch)
    os.environ |= {"TMPDIR": str(start.scratch), "HOME": str(start.scratch)}
    tempfile.tempdir = None
    return serve(Channel(socket.socket(fileno=line), takes_descriptors=True), start)
