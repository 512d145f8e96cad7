"""What a watcher of an audit is told, as a pure function of what it knows and how the audit stands.

An event's id is made of that standing alone, so that any process can go on where another left off.
"""

from typing import NamedTuple, Self

from pydantic import BaseModel

from app.audits.following.progress import Snapshot
from app.domain.vocabulary import LIVE, AuditStatus
from app.http.schemas import StoredProblem

QUEUED, RUNNING, PROGRESS, ENDED, END = range(5)


class EventId(NamedTuple):
    """``phase.attempts.done``: grows as an audit goes on, also where a lost shard takes ``done`` back."""

    phase: int
    attempts: int = 0
    done: int = 0

    def __str__(self) -> str:
        return f"{self.phase}.{self.attempts}.{self.done}"

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """None for what is no id of ours: its sender is told everything anew."""
        parts = (text or "").split(".")
        if len(parts) != len(cls._fields) or not all(part.isascii() and part.isdecimal() for part in parts):
            return None
        phase, attempts, done = (int(part[:18]) for part in parts)
        return cls(phase, attempts, done) if phase <= END else None


class StatusEvent(BaseModel):
    """The audit's new status; with the last event, its last."""

    status: AuditStatus
    problem: StoredProblem | None


class NoteEvent(BaseModel):
    """No worker is there to go on with the audit, and what to do; null once there is one again."""

    note: str | None


class Event(NamedTuple):
    """One event, its id and its data; a note has no id, since it says nothing of how far the audit is."""

    name: str
    id: EventId | None
    data: BaseModel


def events_after(last: EventId | None, now: Snapshot) -> list[Event]:
    """What somebody who has seen ``last`` does not know yet, in order."""
    is_over = now.status not in LIVE
    if last is not None and last.phase >= ENDED and not is_over:
        last = None  # the id of another audit
    status = StatusEvent(status=now.status, problem=StoredProblem.of(now.problem))
    seen = -1 if last is None else last.phase
    events = []
    if now.status == AuditStatus.QUEUED and seen < QUEUED:
        events.append(Event("status", EventId(QUEUED), status))
    if now.status == AuditStatus.RUNNING and seen < RUNNING:
        events.append(Event("status", EventId(RUNNING), status))
    if now.status != AuditStatus.QUEUED and seen <= PROGRESS and _is_news(last, now):
        events.append(Event("progress", EventId(PROGRESS, now.attempts, now.progress.done), now.progress))
    if is_over:
        ends = (("status", ENDED), ("end", END))
        events += [Event(name, EventId(phase), status) for name, phase in ends if seen < phase]
    return events


def is_told(last: EventId | None, now: Snapshot) -> bool:
    """Whether nothing can follow what somebody has seen."""
    return last is not None and last.phase == END and now.status not in LIVE


def _is_news(last: EventId | None, now: Snapshot) -> bool:
    """Samples that a shard gave back are told with its next attempt; an audit that is planned anew starts anew.

    A shard that was only begun is no news: it changes the attempts, but nothing that a watcher is told.
    """
    if last is None or last.phase < PROGRESS or now.attempts < last.attempts:
        return True
    done = now.progress.done
    return done != last.done and (now.attempts, done) > (last.attempts, last.done)
