"""One reader of the database for all that watch audits through this process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.audits.following.events import Event, EventId, NoteEvent, events_after
from app.audits.following.progress import Snapshot, read_snapshots
from app.db.session import TenantEngine, transaction
from app.domain.vocabulary import LIVE
from app.errors import NotFound

logger = logging.getLogger(__name__)

RETRY_MILLISECONDS = 2000
GATHER_SECONDS = 0.02
READ_SHARE = 0.1
"""The most of its time that the reader spends reading: a large audit is looked at less often."""


class Watched(NamedTuple):
    """An audit as its tenant sees it: another one's is not there."""

    tenant_id: UUID
    audit_id: UUID


@dataclass
class _Topic:
    """An audit that is watched; ``changed`` is set, and replaced, when there is something to tell."""

    snapshot: Snapshot | None = None
    failure: Exception | None = None
    watchers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def learn(self, found: Snapshot | None) -> None:
        is_same = found is not None and self.snapshot is not None and found.standing == self.snapshot.standing
        self.snapshot = found
        self.failure = None if found else NotFound("audit")
        if not is_same:
            self.tell()

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class AuditWatch:
    """Reads every audit that somebody watches once an interval, and tells all its watchers.

    A watcher costs a coroutine, neither a thread nor a connection; one that is slow is told the newest standing.
    """

    def __init__(self, engine: Engine, interval_seconds: float, heartbeat_seconds: float) -> None:
        self._engine = engine
        self._interval = interval_seconds
        self._heartbeat = heartbeat_seconds
        self._topics: dict[Watched, _Topic] = {}
        self._newcomer = asyncio.Event()
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit-watch")

    async def run(self) -> None:
        """Until it is cancelled; without watchers it sleeps."""
        loop, pause = asyncio.get_running_loop(), None
        due = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._newcomer.wait()
                    # Many come at once, after a restart say: one query serves them all.
                    await asyncio.sleep(GATHER_SECONDS)
            self._newcomer.clear()
            started = loop.time()
            is_due = started >= due
            await self._look([one for one, topic in self._topics.items() if is_due or topic.snapshot is None])
            if is_due:
                due = loop.time() + max(self._interval, (loop.time() - started) / READ_SHARE)
            pause = max(due - loop.time(), 0) if self._topics else None

    def close(self) -> None:
        """End all streams: their clients come again, to another process if this one ends."""
        self._closed = True
        for topic in self._topics.values():
            topic.tell()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def find(self, watched: Watched) -> Snapshot:
        """How an audit stands. Raises NotFound, or the database's error where it cannot be read."""
        with self._watching(watched) as topic:
            while topic.snapshot is None and not self._closed:
                await topic.changed.wait()
                if topic.failure is not None:
                    raise topic.failure
        if topic.snapshot is None:
            raise NotFound("audit")
        return topic.snapshot

    async def stream(self, watched: Watched, snapshot: Snapshot, last: EventId | None) -> AsyncIterator[bytes]:
        """Server-sent events after ``last`` until the audit has ended; comments while there are none."""
        loop = asyncio.get_running_loop()
        yield format_sse_event(retry=RETRY_MILLISECONDS, comment=f"audit {watched.audit_id}")
        with self._watching(watched, snapshot) as topic:
            now: Snapshot | None = snapshot
            sent, missing = loop.time(), snapshot.missing
            while now is not None:
                changed, told = topic.changed, events_after(last, now)
                last = told[-1].id if told else last
                if now.missing != missing and now.status in LIVE:
                    missing = now.missing
                    told.append(Event("note", None, NoteEvent(note=missing)))
                text = b"".join(map(_encoded, told))
                if text or loop.time() - sent >= self._heartbeat:
                    yield text or KEEPALIVE_COMMENT
                    sent = loop.time()
                if now.status not in LIVE or self._closed:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(sent + self._heartbeat - loop.time()):
                        await changed.wait()
                now = topic.snapshot

    @contextmanager
    def _watching(self, watched: Watched, snapshot: Snapshot | None = None) -> Iterator[_Topic]:
        topic = self._topics.setdefault(watched, _Topic(snapshot))
        topic.watchers += 1
        self._newcomer.set()
        try:
            yield topic
        finally:
            topic.watchers -= 1
            if not topic.watchers:
                self._topics.pop(watched, None)

    async def _look(self, watched: list[Watched]) -> None:
        if not watched or self._closed:
            return
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._read, watched)
        except SQLAlchemyError as error:
            # Watchers that have seen something wait on; those that have not are told at once.
            logger.warning("watchers of audits wait: %s", type(error).__name__)
            for topic in [self._topics[one] for one in watched if one in self._topics]:
                topic.failure = error
                topic.tell()
            return
        for one in watched:
            if one in self._topics:
                self._topics[one].learn(found.get(one))

    def _read(self, watched: list[Watched]) -> dict[Watched, Snapshot]:
        """One query for each tenant."""
        of_tenant: dict[UUID, list[UUID]] = {}
        for one in watched:
            of_tenant.setdefault(one.tenant_id, []).append(one.audit_id)
        found: dict[Watched, Snapshot] = {}
        for tenant_id, audit_ids in of_tenant.items():
            with transaction(TenantEngine(self._engine, tenant_id)) as session:
                snapshots = read_snapshots(session, audit_ids)
            found |= {Watched(tenant_id, audit_id): snapshot for audit_id, snapshot in snapshots.items()}
        return found


def _encoded(event: Event) -> bytes:
    return format_sse_event(
        data_str=event.data.model_dump_json(), event=event.name, id=None if event.id is None else str(event.id)
    )
