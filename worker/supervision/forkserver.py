"""The worker's side of its forkserver: asks for children, and how they have ended."""

import contextlib
import os
import signal
import socket

from worker.supervision.environment import library_environment
from worker.supervision.launch import launch
from worker.supervision.output import Tail
from worker.wire.channel import Channel, ChannelClosed
from worker.wire.forking import Forked, ForkRequest, WaitRequest, read_answer
from worker.wire.start import Start

_SEND_SECONDS = 30.0
_MORE_SECONDS = 5.0


class Forkserver:
    """Starts at once, which takes seconds; whoever asks for a child does not wait for them.

    To be made and used by one thread that lives as long as it shall: the kernel kills it, and its children, with it.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        with theirs:
            self._process = launch(theirs.fileno(), write, library_environment(os.environ))
        os.close(write)
        self._output = Tail(read)
        self._channel = Channel(ours)
        self._forked: dict[int, int] = {}
        self._asked = 0

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def request_fork(self, start: Start, descriptors: tuple[int, int]) -> int:
        """The number under which the child can be collected. Raises ChannelClosed."""
        self._asked += 1
        self._channel.send(ForkRequest(number=self._asked, start=start), timeout=_SEND_SECONDS, descriptors=descriptors)
        return self._asked

    def collect(self, number: int, seconds: float) -> int | None:
        """The child's process id, None where it is not forked so soon. Raises ChannelClosed."""
        if number not in self._forked:
            self._take(seconds)
        return self._forked.pop(number, None)

    def exit_status(self, pid: int, seconds: float) -> int | None:
        """How a child ended, as subprocess tells it; None where it lives on. Raises ChannelClosed."""
        self._channel.send(WaitRequest(pid=pid, seconds=seconds), timeout=_SEND_SECONDS)
        while True:
            frame = self._channel.receive(seconds + _MORE_SECONDS)
            if frame is None:
                raise ChannelClosed("no answer")
            answer = read_answer(frame)
            if not isinstance(answer, Forked):
                return answer.status
            self._forked[answer.number] = answer.pid

    def last_words(self) -> str:
        return self._output.text()

    def close(self) -> None:
        """Its children go with it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()

    def _take(self, seconds: float) -> None:
        frame = self._channel.receive(seconds)
        if frame is not None and isinstance(answer := read_answer(frame), Forked):
            self._forked[answer.number] = answer.pid
