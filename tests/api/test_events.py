"""Audits watched over real HTTP: what is told, what a reconnection gets, what a thousand watchers cost."""

import asyncio
import json
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, text

from app.audits.following.events import EventId, events_after
from app.audits.following.progress import Snapshot
from app.audits.schemas import Progress
from app.db.presence import NOBODY
from app.db.session import transaction
from app.db.tables import WorkerRow
from app.domain.vocabulary import AuditStatus, DeviceClass
from app.http.server import raise_open_files
from tests.api.audit_rows import add_audit, set_audit, worked
from tests.api.running_api import Api, check_problem
from tests.keys import HEADERS, KEY
from tests.waiting import PATIENCE_SECONDS, until

WATCHERS = 1000
FAST = {"WATCH_SECONDS": "0.1", "WATCH_HEARTBEAT_SECONDS": "0.5", "RECONCILE_SECONDS": "3600"}


@pytest.fixture(scope="module")
def watched(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, **FAST)


@pytest.fixture(scope="module")
def other(start_api: Callable[..., Api], broker_url: str, watched: Api) -> Api:
    """Another process on the same database."""
    return start_api(broker_url, DATABASE_URL=watched.engine.url.render_as_string(hide_password=False), **FAST)


class Watcher:
    """Reads a stream in a thread; ``events`` are (event, id, data), comments apart; a note has no id."""

    def __init__(self, api: Api, audit_id: UUID, last: str | None = None) -> None:
        headers = {} if last is None else {"Last-Event-ID": last}
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.comments = 0
        self.retry = 0
        self.over = False
        self._client = httpx.Client(base_url=api.client.base_url, headers=HEADERS, timeout=PATIENCE_SECONDS)
        self._request = self._client.build_request("GET", f"/v1/audits/{audit_id}/events", headers=headers)
        self._answer = self._client.send(self._request, stream=True)
        assert self._answer.status_code == 200
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self._leaving = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        event: dict[str, str] = {}
        try:
            for line in self._answer.iter_lines():
                if self._leaving:
                    return
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "event" in event:
                    self.events.append((event["event"], event.get("id", ""), json.loads(event["data"])))
                    event = {}
                else:
                    self.retry, event = int(event.get("retry", self.retry)), {}
            self.over = True
        except (httpx.HTTPError, httpx.StreamError):
            pass
        finally:
            self._client.close()

    def names(self) -> list[str]:
        return [name for name, _, _ in self.events]

    def leave(self) -> None:
        """At the next line: a comment at the latest."""
        self._leaving = True
        self._thread.join(120)


def start(api: Api, shards: int = 4) -> UUID:
    audit_id = add_audit(api.engine, shards=shards)
    set_audit(api.engine, audit_id, AuditStatus.RUNNING, started_at=func.clock_timestamp())
    return audit_id


def finish(api: Api, audit_id: UUID) -> None:
    set_audit(api.engine, audit_id, AuditStatus.SUCCEEDED, finished_at=func.clock_timestamp())


def test_from_queued_to_the_end(watched: Api) -> None:
    audit_id = add_audit(watched.engine, shards=2)
    watcher = Watcher(watched, audit_id)
    until(lambda: watcher.names() == ["status"])
    set_audit(watched.engine, audit_id, AuditStatus.RUNNING, started_at=func.clock_timestamp())
    until(lambda: watcher.names() == ["status", "status", "progress"])
    worked(watched.engine, audit_id, 0, done=16, begin=4, until=0)
    until(lambda: len(watcher.events) == 4)
    worked(watched.engine, audit_id, 0, done=64, begin=16, until=0)
    until(lambda: len(watcher.events) == 5)
    finish(watched, audit_id)
    until(lambda: watcher.over)
    assert watcher.names() == ["status", "status", "progress", "progress", "progress", "status", "end"]
    assert [data["done"] for name, _, data in watcher.events if name == "progress"] == [0, 16, 64]
    assert [data["status"] for name, _, data in watcher.events if name == "status"] == [
        "queued",
        "running",
        "succeeded",
    ]
    last = watcher.events[3][2]
    assert (last["total"], last["unit"]) == (128, "samples")
    assert last["samples_per_second"] > 0
    assert last["eta_seconds"] > 0
    ids = [EventId.parse(id_) for _, id_, _ in watcher.events]
    assert ids == sorted({id_ for id_ in ids if id_ is not None})
    assert watcher.retry == 2000


def test_ended_audits_are_told_at_once(watched: Api) -> None:
    audit_id = start(watched)
    problem = {"code": "model-crashed-worker", "detail": "Three times."}
    set_audit(watched.engine, audit_id, AuditStatus.FAILED, problem=problem, finished_at=func.clock_timestamp())
    watcher = Watcher(watched, audit_id)
    until(lambda: watcher.over)
    assert watcher.names() == ["progress", "status", "end"]
    assert watcher.events[-1][2] == {"status": "failed", "problem": problem}


def test_another_process_goes_on_where_one_left_off(watched: Api, other: Api) -> None:
    audit_id = start(watched)
    first = Watcher(watched, audit_id)
    worked(watched.engine, audit_id, 0, done=16, begin=4, until=0)
    until(lambda: [data.get("done") for _, _, data in first.events][-1:] == [16])
    first.leave()
    second = Watcher(other, audit_id, last=first.events[-1][1])
    time.sleep(0.5)
    assert second.events == []
    worked(watched.engine, audit_id, 1, done=64, begin=4, until=0)
    until(lambda: second.names() == ["progress"])
    second.leave()
    finish(watched, audit_id)
    third = Watcher(watched, audit_id, last=second.events[-1][1])
    until(lambda: third.over)
    assert third.names() == ["status", "end"]
    told = [*first.events, *second.events, *third.events]
    assert len({id_ for _, id_, _ in told}) == len(told)
    after = {"Last-Event-ID": third.events[-1][1]}
    assert other.client.get(f"/v1/audits/{audit_id}/events", headers=after).status_code == 204


@pytest.mark.parametrize("last", ["", "x", "1.2", "9.0.0", "1.2.-3", "1.2.٣", "4.0.0", "1." + "9" * 40 + ".0"])
def test_ids_that_are_not_ours(watched: Api, last: str) -> None:
    audit_id = start(watched)
    headers = {b"Last-Event-ID": last.encode()}
    request = watched.client.build_request("GET", f"/v1/audits/{audit_id}/events", headers=headers)
    stream = watched.client.send(request, stream=True)
    assert stream.status_code == 200
    lines = stream.iter_lines()
    assert next(line for line in lines if line.startswith("event:")) in {"event: status", "event: progress"}
    stream.close()


def test_unknown_audits(watched: Api) -> None:
    check_problem(watched.client.get(f"/v1/audits/{uuid4()}/events"), 404, "not-found")
    check_problem(watched.client.get("/v1/audits/x/events"), 404, "not-found")
    audit_id = start(watched)
    headers = {"Last-Event-ID": "1" * 101}
    check_problem(watched.client.get(f"/v1/audits/{audit_id}/events", headers=headers), 422, "validation-error")


def test_silence_is_filled_with_comments(watched: Api) -> None:
    watcher = Watcher(watched, start(watched))
    until(lambda: watcher.comments > 3)
    assert len(watcher.events) == 2
    watcher.leave()


def test_workers_that_are_lost_later(watched: Api) -> None:
    """And that come back; who comes while none is there reads it in the audit's notes."""

    def seen(ago: str) -> None:
        with transaction(watched.engine) as session:
            session.execute(text(f"UPDATE workers SET seen_at = clock_timestamp() - interval '{ago}'"))

    with transaction(watched.engine) as session:
        session.add(WorkerRow(name="of this test", device_class=DeviceClass.CPU, seen_at=func.clock_timestamp()))
    watcher = Watcher(watched, start(watched))
    until(lambda: watcher.names() == ["status", "progress"])
    seen("2 minutes")
    until(lambda: len(watcher.events) == 3)
    seen("0 seconds")
    until(lambda: len(watcher.events) == 4)
    told = watcher.events[2:]
    watcher.leave()
    with transaction(watched.engine) as session:
        session.execute(text("DELETE FROM workers"))
    assert [(name, id_) for name, id_, _ in told] == [("note", "")] * 2
    assert [data["note"] for *_, data in told] == [NOBODY, None]


def snapshot(attempts: int, done: int, status: AuditStatus = AuditStatus.RUNNING) -> Snapshot:
    progress = Progress(done=done, total=100, samples_per_second=None, eta_seconds=None)
    return Snapshot(uuid4(), status, None, attempts, progress)


@pytest.mark.parametrize(
    ("last", "now", "told"),
    [
        ("2.3.40", (3, 40), []),
        ("2.3.40", (3, 41), ["progress"]),
        ("2.3.40", (3, 20), []),  # a shard was given back: told with its next attempt
        ("2.3.40", (4, 20), ["progress"]),
        ("2.3.40", (1, 0), ["progress"]),  # planned anew
        ("0.0.0", (1, 5), ["status", "progress"]),
        ("1.0.0", (1, 5), ["progress"]),
    ],
)
def test_what_is_news(last: str, now: tuple[int, int], told: list[str]) -> None:
    assert [event.name for event in events_after(EventId.parse(last), snapshot(*now))] == told


def threads_and_files(pid: int) -> tuple[int, int]:
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":\t") for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    return int(status["Threads"]), len(list((folder / "fd").iterdir()))


def connections(api: Api) -> int:
    with transaction(api.engine) as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        return session.scalar(text(query)) or 0


@pytest.fixture
def crowd(watched: Api) -> Iterator[Callable[[UUID, int], asyncio.Future[list[bytes]]]]:
    """That many connections to the event stream of an audit, each read to its end."""

    async def watch(audit_id: UUID, ready: asyncio.Semaphore) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", watched.port)
        head = f"GET /v1/audits/{audit_id}/events HTTP/1.1\r\nHost: a\r\nConnection: close"
        writer.write(f"{head}\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        beginning = await reader.readuntil(b"event: progress")
        ready.release()
        whole = beginning + await reader.read()
        writer.close()
        return whole

    return watch  # type: ignore[return-value]


@pytest.fixture
def many_files() -> Iterator[None]:
    """For this process, as the API does for itself."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_open_files()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_files")
def test_a_thousand_watchers(watched: Api, crowd: Any) -> None:
    audits = [start(watched) for _ in range(10)]
    threads_before, files_before = threads_and_files(watched.pid)
    connections_before = connections(watched)

    async def scene() -> list[bytes]:
        ready = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(crowd(audits[n % 10], ready)) for n in range(WATCHERS)]
        async with asyncio.timeout(240):
            for _ in range(WATCHERS):
                await ready.acquire()
        slowest = 0.0
        async with httpx.AsyncClient(
            base_url=watched.client.base_url, headers=HEADERS, timeout=PATIENCE_SECONDS
        ) as client:
            for number in range(20):
                worked(watched.engine, audits[number % 10], 0, done=number + 1, begin=9, until=0)
                started = time.monotonic()
                assert (await client.get("/v1/models")).status_code == 200
                slowest = max(slowest, time.monotonic() - started)
        threads, _ = threads_and_files(watched.pid)
        assert threads - threads_before <= 4
        assert connections(watched) - connections_before <= 3
        assert slowest < 20
        for audit_id in audits:
            finish(watched, audit_id)
        return await asyncio.wait_for(asyncio.gather(*tasks), 240)

    answers = asyncio.run(scene())
    assert all(answer.count(b"event: end") == 1 for answer in answers)
    until(lambda: threads_and_files(watched.pid)[1] <= files_before + 3)


def test_who_leaves_frees_what_it_held(watched: Api) -> None:
    audit_id = start(watched)
    _, files_before = threads_and_files(watched.pid)
    watchers = [Watcher(watched, audit_id) for _ in range(30)]
    until(lambda: all(len(watcher.events) == 2 for watcher in watchers))
    _, with_all = threads_and_files(watched.pid)
    assert with_all >= files_before + 30
    for watcher in watchers:
        watcher.leave()
    until(lambda: threads_and_files(watched.pid)[1] <= with_all - 27)


def test_a_process_that_ends_ends_its_streams(start_api: Callable[..., Api], broker_url: str) -> None:
    api = start_api(broker_url, **FAST)
    watcher = Watcher(api, start(api))
    until(lambda: len(watcher.events) == 2)
    os.kill(api.pid, signal.SIGTERM)
    until(lambda: watcher.over)
    assert "end" not in watcher.names()
    until(lambda: not Path(f"/proc/{api.pid}").exists())
