"""What a parent reads from its child: an answer, or a tick without one."""

import logging
import time
from dataclasses import dataclass
from typing import NamedTuple

from app.errors import TransientFailure
from app.sources.reach import UNAVAILABLE
from worker.supervision.endings import ChildDied, End
from worker.supervision.reading_clock import ReadingClock
from worker.supervision.watch import TICK_SECONDS
from worker.wire.channel import Channel
from worker.wire.replies import Logged, Reply, read_reply

MOST_LINES = 10_000
"""Log lines of a job that are written; the rest is dropped."""
READING_LIMITS = 10
"""How many times what a step may take its reading may take: whoever reads without an end is stopped as well."""


class Answer(NamedTuple):
    """A reply and the bytes behind it."""

    reply: Reply
    blob: bytes


@dataclass(frozen=True)
class Tick:
    """Nothing new for a fifth of a second: time for the caller to look after other things."""


Event = Answer | Tick
TICK = Tick()


class ReplyReader:
    """Reads what one child sends, job after job. What it logs is written here, under the job's ids, and is no event."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lines = 0

    def begin(self) -> None:
        """A new job, with log lines of its own."""
        self._lines = 0

    def read(self) -> Event:
        """Waits for one tick at most. Raises ChannelClosed."""
        frame = self._channel.receive(TICK_SECONDS)
        if frame is None:
            return TICK
        reply = read_reply(frame)
        if not isinstance(reply, Logged):
            return Answer(reply, frame.blob)
        self._lines += 1
        if self._lines <= MOST_LINES:
            logging.getLogger(reply.logger).log(reply.level, "%s", reply.message)
        return TICK


class ReplyTimeout:
    """So many seconds may pass between two answers, and ``READING_LIMITS`` times as many more in which it is read for.

    A worker that was stopped for a while must not hold that against its child: no wait counts for more than two ticks.
    Nor does a child answer for a slow source: what its parent reads for it counts apart, and is nobody's fault but the
    source's.
    """

    def __init__(self, allowed_seconds: float, reading: ReadingClock) -> None:
        self._allowed = allowed_seconds
        self._reading = reading
        self._waited = self._read = 0.0
        self._since, self._read_before = time.monotonic(), reading.seconds()

    def start(self) -> None:
        """The wait for the next event begins."""
        self._since, self._read_before = time.monotonic(), self._reading.seconds()

    def check(self, event: Event) -> None:
        """It ends. Raises ChildDied where the child was silent for too long, TransientFailure where its source was."""
        read = self._reading.seconds() - self._read_before
        self._read += read
        self._waited += min(max(0.0, time.monotonic() - self._since - read), 2 * TICK_SECONDS)
        if self._waited > self._allowed:
            raise ChildDied(End.TOO_SLOW, f"One step took longer than {self._allowed:g} seconds.")
        if self._read > READING_LIMITS * self._allowed:
            most = READING_LIMITS * self._allowed
            raise TransientFailure(UNAVAILABLE, f"What one step needs was not read in {most:g} seconds.")
        if isinstance(event, Answer):
            self._waited = self._read = 0.0
