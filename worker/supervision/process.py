"""A child process: everything imported, nothing seen; walls, a socket, limits that its parent enforces."""

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

from app.errors import InputFailure, TransientFailure
from app.observability.log_context import current_ids
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.supervision.endings import ChildDied, End, OutOfGpuMemory, death_of
from worker.supervision.inputs import opened_inputs
from worker.supervision.nursery import Nursery
from worker.supervision.output import Tail
from worker.supervision.surroundings import Scratch
from worker.supervision.watch import TICK_SECONDS, Watch
from worker.wire.channel import MAX_ANSWER_BODY, Channel, ChannelClosed
from worker.wire.jobs import AnyJob, Start
from worker.wire.replies import Done, Failed, Logged, Ready, Reply, read_reply

logger = logging.getLogger(__name__)

START_SECONDS = 180.0
_SEND_SECONDS = 30.0
_EXIT_SECONDS = 5.0
_MOST_LINES = 10_000


class Answer(NamedTuple):
    """A reply and the bytes behind it."""

    reply: Reply
    blob: bytes


class ChildProcess:
    """Starts at once; `converse` waits until it is ready. ``idle`` is false in the middle of a conversation.

    To be started by a thread that lives as long as it shall: the kernel kills it together with that thread.
    """

    def __init__(self, settings: Settings, nursery: Nursery) -> None:
        self._nursery = nursery
        self._batch_seconds = settings.child_batch_seconds
        self.scratch = Scratch()
        self._watch = Watch(settings, self.scratch)
        self._pid: int | None = None
        self._status: int | None = None
        self._ready = False
        self._lines = 0
        self.idle = True
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        self._channel = Channel(ours, most_body=MAX_ANSWER_BODY)
        self._output = Tail(read)
        start = Start.of(settings, scratch=self.scratch.path, memory_bytes=self._watch.memory_bytes)
        self._number = 0
        with theirs, contextlib.suppress(ChannelClosed):
            self._number = nursery.ask(start, (theirs.fileno(), write))
        os.close(write)

    @property
    def alive(self) -> bool:
        """Whether it can be spoken to, now or once it is born."""
        return self._nursery.alive and (self._pid is None or self._ending(0) is None)

    @property
    def is_born(self) -> bool:
        return self._pid is not None

    @property
    def pid(self) -> int:
        """Raises ChildDied where it is not born yet."""
        if self._pid is None:
            raise ChildDied(End.CRASHED, "It was never born.")
        return self._pid

    def converse(self, job: AnyJob, blobs: BlobStore) -> Iterator[Answer | None]:
        """Replies up to the last; None at every tick without one, so that the caller can look after other things.

        Raises InputFailure and TransientFailure as the child found them, OutOfGpuMemory, and ChildDied.
        """
        self.idle, self._lines = False, 0
        yield from self._start()
        self._signal(signal.SIGCONT)
        with opened_inputs(blobs, job) as descriptors:
            try:
                named = job.model_copy(update={"log_ids": current_ids()})
                self._channel.send(named, timeout=_SEND_SECONDS, descriptors=descriptors)
            except ChannelClosed:
                raise self._death() from None
            yield from self._replies()
        self._rest()

    def last_words(self) -> str:
        """The end of what it printed; nothing in it is to be believed."""
        return self._output.text()

    def kill(self) -> None:
        """At once; its scratch folder goes too. One that is not born yet finds nobody to talk to, and ends."""
        self._channel.close()
        if self._pid is not None and self._status is None:
            self._signal(signal.SIGKILL)
            self._ending(_EXIT_SECONDS)
        self.scratch.remove()

    def _start(self) -> Iterator[None]:
        """Raises TransientFailure: no model has been near it yet."""
        try:
            yield from self._birth()
            for answer in () if self._ready else self._answers(START_SECONDS):
                if answer is None:
                    yield None
                elif isinstance(answer.reply, Ready):
                    self._ready = True
                    self._watch.begin(self.pid)
                    return
                else:
                    self._take_failure(answer.reply)
        except ChildDied as death:
            words = f"{self._nursery.last_words()} {self.last_words()}"
            logger.error("a child does not start: %s %a", death.detail, words)  # noqa: TRY400 - a sentence
            raise TransientFailure("child-not-started", death.detail) from death

    def _birth(self) -> Iterator[None]:
        """Raises ChildDied."""
        deadline = time.monotonic() + START_SECONDS
        try:
            while self._pid is None:
                self._pid = self._nursery.pick_up(self._number, TICK_SECONDS)
                if time.monotonic() > deadline:
                    raise ChildDied(End.TOO_SLOW, "It was not born in time.")
                yield None
        except ChannelClosed as error:
            raise ChildDied(End.CRASHED, "The process that bears children is gone.") from error

    def _replies(self) -> Iterator[Answer | None]:
        self._watch.allow_a_step(self.pid)
        for answer in self._answers(self._batch_seconds):
            if answer is not None:
                self._take_failure(answer.reply)
                if isinstance(answer.reply, Done):
                    return
                self._watch.allow_a_step(self.pid)
            yield answer

    def _answers(self, allowed_seconds: float) -> Iterator[Answer | None]:
        """None at every tick. Raises ChildDied where more than ``allowed_seconds`` pass between two answers."""
        waited = 0.0
        while True:
            started = time.monotonic()
            answer = self._receive()
            # A worker that was stopped for a while must not hold that against its child.
            waited += min(time.monotonic() - started, 2 * TICK_SECONDS)
            if waited > allowed_seconds:
                raise ChildDied(End.TOO_SLOW, f"One step took longer than {allowed_seconds:g} seconds.")
            waited = 0.0 if answer else waited
            yield answer

    def _receive(self) -> Answer | None:
        if self._ready:
            self._watch.look(self.pid)
        try:
            frame = self._channel.receive(TICK_SECONDS)
            answer = None if frame is None else Answer(read_reply(frame), frame.blob)
        except ChannelClosed as error:
            logger.info("child %s: %s", self.pid, error)
            raise self._death() from error
        if answer is None or not isinstance(answer.reply, Logged):
            return answer
        self._log(answer.reply)
        return None

    def _log(self, line: Logged) -> None:
        """In this process's form, under the ids of the job, redacted like any line; not without end."""
        self._lines += 1
        if self._lines <= _MOST_LINES:
            logging.getLogger(line.logger).log(line.level, "%s", line.message)

    def _take_failure(self, reply: Reply) -> None:
        if not isinstance(reply, Failed):
            return
        detail = reply.detail
        if reply.failure == "gpu-memory":
            raise OutOfGpuMemory(detail)
        if reply.failure == "memory":
            raise ChildDied(End.TOO_MUCH_MEMORY, f"It could not get more memory ({self._watch.limit_text()}).")
        if reply.failure == "space":
            raise ChildDied(End.TOO_MUCH_SPACE, f"It could not write: {detail}.")
        if reply.failure == "crash":
            raise ChildDied(End.CRASHED, f"It ended with {detail}.")
        if reply.failure != "wall":
            self._rest()
        if reply.failure == "input":
            raise InputFailure(reply.code, detail, **reply.facts)
        raise TransientFailure(reply.code, detail)

    def _death(self) -> ChildDied:
        status = self._ending(_EXIT_SECONDS)
        if status is None:
            return ChildDied(End.CRASHED, "It broke the conversation off.")
        logger.info("the last that child %s printed: %a", self.pid, self.last_words())
        return death_of(status)

    def _ending(self, seconds: float) -> int | None:
        """Its exit status, None where it lives on after so many seconds."""
        if self._status is None and self._pid is not None:
            try:
                self._status = self._nursery.ending(self._pid, seconds)
            except ChannelClosed:
                # It went with the nursery.
                self._status = -signal.SIGKILL
        return self._status

    def _rest(self) -> None:
        """Whatever a model may have left running there stands still until the next job."""
        self._signal(signal.SIGSTOP)
        self.idle = True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
