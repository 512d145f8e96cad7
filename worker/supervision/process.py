"""A child process: a fresh interpreter, a socket, limits that its parent enforces."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from app.errors import InputFailure, TransientFailure
from app.observability.log_context import current_ids
from app.settings import Settings
from worker.supervision.endings import ChildDied, End, OutOfGpuMemory, describe_exit
from worker.supervision.memory import memory_limit, memory_taken
from worker.supervision.surroundings import Scratch, child_environment
from worker.wire.channel import Channel, ChannelClosed
from worker.wire.jobs import ModelJob, ShardJob, Start
from worker.wire.replies import Done, Failed, Reply, read_reply

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2
START_SECONDS = 180.0
_SEND_SECONDS = 30.0
_EXIT_SECONDS = 5.0
_STANDARD_ERROR = 2


class Answer(NamedTuple):
    """A reply and the bytes behind it."""

    reply: Reply
    blob: bytes


class ChildProcess:
    """Starts at once; `converse` waits until it is ready. ``idle`` is false in the middle of a conversation.

    To be started by a thread that lives as long as it shall: the kernel kills it together with that thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._batch_seconds = settings.child_batch_seconds
        self._memory_bytes = memory_limit(settings.child_memory_bytes)
        self.scratch = Scratch()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "worker.child", str(theirs.fileno()), str(os.getpid())],
                env=child_environment(os.environ, self.scratch.path),
                stdin=subprocess.DEVNULL,
                stdout=_STANDARD_ERROR,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._channel = Channel(ours)
        self._ready = False
        self._measured_at = 0.0
        self.idle = True
        with contextlib.suppress(ChannelClosed):
            self._channel.send(Start.of(settings, self._memory_bytes), timeout=_SEND_SECONDS)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def converse(self, job: ShardJob | ModelJob) -> Iterator[Answer | None]:
        """Replies up to the last; None at every tick without one, so that the caller can look after other things.

        Raises InputFailure and TransientFailure as the child found them, OutOfGpuMemory, and ChildDied.
        """
        yield from self._start()
        self.idle = False
        try:
            self._channel.send(job.model_copy(update={"log_ids": current_ids()}), timeout=_SEND_SECONDS)
        except ChannelClosed:
            raise self._death() from None
        for answer in self._answers(self._batch_seconds):
            if answer is not None:
                self._take_failure(answer.reply)
                if isinstance(answer.reply, Done):
                    self.idle = True
                    return
            yield answer

    def _start(self) -> Iterator[None]:
        """Raises TransientFailure: no model has been near it yet."""
        try:
            for answer in () if self._ready else self._answers(START_SECONDS):
                if answer is not None:
                    self._ready = True
                    return
                yield None
        except ChildDied as death:
            self.idle = False
            raise TransientFailure("child-not-started", death.detail) from death

    def kill(self) -> None:
        """The whole group, at once; its scratch folder goes too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()
        self.scratch.remove()

    def _answers(self, allowed_seconds: float) -> Iterator[Answer | None]:
        """None at every tick. Raises ChildDied where more than ``allowed_seconds`` pass between two answers."""
        waited = 0.0
        while True:
            started = time.monotonic()
            answer = self._receive()
            # A worker that was stopped for a while must not hold that against its child.
            waited = 0.0 if answer else waited + min(time.monotonic() - started, 2 * TICK_SECONDS)
            if waited > allowed_seconds:
                raise ChildDied(End.TOO_SLOW, f"One step took longer than {allowed_seconds:g} seconds.")
            yield answer

    def _receive(self) -> Answer | None:
        self._check_memory()
        try:
            frame = self._channel.receive(TICK_SECONDS)
            return None if frame is None else Answer(read_reply(frame), frame.blob)
        except ChannelClosed as error:
            logger.info("child %s: %s", self._process.pid, error)
            raise self._death() from error

    def _take_failure(self, reply: Reply) -> None:
        if not isinstance(reply, Failed):
            return
        detail = reply.detail
        if reply.failure == "gpu-memory":
            raise OutOfGpuMemory(detail)
        if reply.failure == "memory":
            raise ChildDied(End.TOO_MUCH_MEMORY, f"It could not get more memory ({self._limit_text()}).")
        if reply.failure == "crash":
            raise ChildDied(End.CRASHED, f"It ended with {detail}.")
        self.idle = True
        raise (InputFailure if reply.failure == "input" else TransientFailure)(reply.code, detail)

    def _check_memory(self) -> None:
        now = time.monotonic()
        if not self._ready or now - self._measured_at < TICK_SECONDS:
            return
        self._measured_at = now
        if memory_taken(self._process.pid) > self._memory_bytes:
            raise ChildDied(End.TOO_MUCH_MEMORY, f"It took too much memory ({self._limit_text()}).")

    def _death(self) -> ChildDied:
        try:
            status = self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return ChildDied(End.CRASHED, "It broke the conversation off.")
        return ChildDied(End.CRASHED, describe_exit(status))

    def _limit_text(self) -> str:
        return f"the limit is {self._memory_bytes} bytes"
