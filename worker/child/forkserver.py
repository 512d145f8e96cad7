"""Forks children that have everything imported and have seen nothing."""

import gc
import os
import socket
import tempfile
import time
import traceback
from importlib.util import find_spec

from PIL import Image

from worker.child.parent_death import die_with
from worker.child.server import serve
from worker.wire.channel import Channel
from worker.wire.forking import REQUEST, Forked, ForkRequest, Waited
from worker.wire.jobs import Start

_PAUSE_SECONDS = 0.01


def run_forkserver(channel: Channel) -> int:
    """Until the worker is gone. Raises ChannelClosed."""
    _import_the_rest()
    # What is never written to stays shared by all children.
    gc.freeze()
    while True:
        frame = channel.receive()
        if frame is None:
            continue
        request = REQUEST.validate_json(frame.body)
        if isinstance(request, ForkRequest):
            channel.send(Forked(number=request.number, pid=_fork(channel, request.start, frame.descriptors)))
        else:
            channel.send(Waited(pid=request.pid, status=_wait(request.pid, request.seconds)))


def _import_the_rest() -> None:
    """What is otherwise imported at its first use."""
    Image.init()
    if find_spec("timm"):
        import timm  # noqa: F401, PLC0415 - an extra


def _fork(channel: Channel, start: Start, descriptors: tuple[int, ...]) -> int:
    """This process has one thread, so that a fork of it is whole."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    status = 1
    try:
        channel.close()
        status = _run_child(parent, start, *descriptors)
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as the forkserver
        traceback.print_exc()
    finally:
        os._exit(status)


def _run_child(parent: int, start: Start, line: int, output: int) -> int:
    die_with(parent)
    os.setsid()
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.chdir(start.scratch)
    os.environ |= {"TMPDIR": str(start.scratch), "HOME": str(start.scratch)}
    tempfile.tempdir = None
    return serve(Channel(socket.socket(fileno=line), takes_descriptors=True), start)


def _wait(pid: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            found, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            return None
        time.sleep(_PAUSE_SECONDS)
