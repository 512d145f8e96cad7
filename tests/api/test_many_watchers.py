"""What a thousand watchers of audits cost, and what is left of them when they, or the process, are gone."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.http.server import raise_open_files
from tests.api.audit_rows import worked
from tests.api.running_api import Api
from tests.api.watching import FAST, Watcher, finish, start
from tests.keys import HEADERS, KEY
from tests.waiting import PATIENCE_SECONDS, until

WATCHERS = 1000


@pytest.fixture(scope="module")
def watched(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, **FAST)


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
