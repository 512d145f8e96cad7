"""A child process: everything imported, nothing seen; a sandbox, a socket, limits that its parent enforces."""

import logging
import os
import signal
import socket
from collections.abc import Iterator

from app.domain.vocabulary import DeviceClass
from app.errors import TransientFailure
from app.observability.log_context import current_ids
from app.settings import Settings
from worker.machine.cores import core_count, decoder_count
from worker.machine.device_class import device_class
from worker.supervision.endings import ChildDied, End, death_of, failure_of
from worker.supervision.environment import Scratch
from worker.supervision.events import Answer, Event, ReplyReader, ReplyTimeout, Tick
from worker.supervision.fork import Fork
from worker.supervision.forkserver import Forkserver
from worker.supervision.inputs import Store, opened_inputs
from worker.supervision.output import Tail
from worker.supervision.reading_clock import ReadingClock
from worker.supervision.states import State
from worker.supervision.watch import Watch
from worker.wire.channel import MAX_ANSWER_BODY, Channel, ChannelClosed
from worker.wire.jobs import AnyJob
from worker.wire.replies import Done, Failed, Ready
from worker.wire.start import Start

logger = logging.getLogger(__name__)

START_SECONDS = 180.0
_SEND_SECONDS = 30.0
_EXIT_SECONDS = 5.0


class ChildProcess:
    """Starts at once; `converse` waits until it is ready.

    To be started by a thread that lives as long as it shall: the kernel kills it together with that thread. One that
    ``decodes`` gets processes for that: they are of its process group, so that they stop, go on and end with it.
    """

    def __init__(self, settings: Settings, forkserver: Forkserver, *, decodes: bool = False) -> None:
        self._state = State.REQUESTED
        self._batch_seconds = settings.child_batch_seconds
        self._device_class = device_class(settings.device)
        self.scratch = Scratch()
        self._watch = Watch(settings, self.scratch)
        self._reading = ReadingClock()
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        self._channel = Channel(ours, most_body=MAX_ANSWER_BODY)
        self._reader = ReplyReader(self._channel)
        self._output = Tail(read)
        cores = core_count(settings.threads)
        start = Start.of(
            settings,
            scratch=self.scratch.path,
            memory_bytes=self._watch.memory_bytes,
            decoders=decoder_count(settings.decoders, cores, self._device_class) if decodes else 0,
        )
        with theirs:
            self._fork = Fork(forkserver, start, (theirs.fileno(), write))
        os.close(write)

    @property
    def state(self) -> State:
        return State.ENDED if self._fork.has_ended else self._state

    @property
    def alive(self) -> bool:
        """Whether it can be spoken to, now or once it is forked."""
        return self.state is not State.ENDED and self._fork.alive

    @property
    def pid(self) -> int:
        """Raises ChildDied where it is not forked yet."""
        return self._fork.pid

    def converse(self, job: AnyJob, blobs: Store) -> Iterator[Event]:
        """Answers up to the last, and ticks between them.

        Raises InputFailure and TransientFailure as the child found them, OutOfGpuMemory, DeviceFailed, and ChildDied.
        """
        self._reader.begin()
        if self.state in {State.REQUESTED, State.FORKED}:
            yield from self._start()
        self._enter(State.BUSY)
        with opened_inputs(blobs, job, self._reading) as descriptors:
            try:
                named = job.model_copy(update={"log_ids": current_ids()})
                self._channel.send(named, timeout=_SEND_SECONDS, descriptors=descriptors)
            except ChannelClosed:
                raise self._death() from None
            yield from self._replies()
        self._enter(State.IDLE)

    def start(self) -> None:
        """Waits until it is ready. Raises TransientFailure ``child-not-started``."""
        for _ in self._start():
            pass

    def last_words(self) -> str:
        """The end of what it printed; nothing in it is to be believed."""
        return self._output.text()

    def kill(self) -> None:
        """At once; its scratch folder goes too. One that is not forked yet finds nobody to talk to, and ends."""
        self._channel.close()
        if self._fork.is_there:
            self._fork.signal(signal.SIGKILL)
            self._fork.exit_status(_EXIT_SECONDS)
        self._state = State.ENDED
        self.scratch.remove()

    def _start(self) -> Iterator[Tick]:
        """Raises TransientFailure: no model has been near it yet."""
        try:
            yield from self._fork.arrive(START_SECONDS)
            self._state = State.FORKED
            for event in self._events(START_SECONDS):
                if isinstance(event, Tick):
                    yield event
                elif isinstance(event.reply, Ready):
                    self._check_device(event.reply.device_class)
                    self._watch.begin(self.pid, event.reply.decoders)
                    return
                elif isinstance(event.reply, Failed):
                    raise failure_of(event.reply, self._watch.limit_text())
        except ChildDied as death:
            words = f"{self._fork.last_words()} {self.last_words()}"
            logger.error("a child does not start: %s %a", death.detail, words)  # noqa: TRY400 - a sentence
            raise TransientFailure("child-not-started", death.detail) from death

    def _check_device(self, found: DeviceClass) -> None:
        """Raises ChildDied. The driver and torch may disagree, such as where torch was built without CUDA."""
        if found is not self._device_class:
            detail = f"It computes on the {found}, this worker's driver says {self._device_class}."
            raise ChildDied(End.CRASHED, f"{detail} Install a torch for this driver, or set DEVICE.")

    def _replies(self) -> Iterator[Event]:
        """Of one job, without the last."""
        self._watch.allow_a_step(self.pid)
        for event in self._events(self._batch_seconds):
            if isinstance(event, Answer):
                if isinstance(event.reply, Done):
                    return
                if isinstance(event.reply, Failed):
                    raise self._failure(event.reply)
                self._watch.allow_a_step(self.pid)
            yield event

    def _events(self, allowed_seconds: float) -> Iterator[Event]:
        """Without end. Raises ChildDied where it dies, takes too much, or more time than that between two answers."""
        timeout = ReplyTimeout(allowed_seconds, self._reading)
        while True:
            timeout.start()
            event = self._next_event()
            timeout.check(event)
            yield event

    def _next_event(self) -> Event:
        if self.state is State.BUSY:
            self._watch.look(self.pid)
        try:
            return self._reader.read()
        except ChannelClosed as error:
            logger.info("child %s: %s", self.pid, error)
            raise self._death() from error

    def _failure(self, reply: Failed) -> Exception:
        """A child that reports an input or a store to be at fault is itself well."""
        if reply.failure in {"input", "transient"}:
            self._enter(State.IDLE)
        return failure_of(reply, self._watch.limit_text())

    def _death(self) -> ChildDied:
        status = self._fork.exit_status(_EXIT_SECONDS)
        if status is None:
            return ChildDied(End.CRASHED, "It broke the conversation off.")
        logger.info("the last that child %s printed: %a", self.pid, self.last_words())
        return death_of(status)

    def _enter(self, state: State) -> None:
        """Let it go on, or stop it."""
        self._fork.signal(signal.SIGCONT if state is State.BUSY else signal.SIGSTOP)
        self._state = state
