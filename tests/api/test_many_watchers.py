"""What a thousand watchers of audits cost, and what is left of them when they, or the process, are gone."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
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
Watch = Callable[[UUID, set[int]], Coroutine[Any, Any, bytes]]
"""Of an audit; the port is added once its stream has begun."""


@pytest.fixture(scope="module")
def watched(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, **FAST)


def threads(api: Api) -> int:
    return psutil.Process(api.pid).num_threads()


def held(api: Api) -> set[int]:
    """The ports of those to whom the API has a connection, also one that it has not closed yet."""
    return {one.raddr.port for one in psutil.Process(api.pid).net_connections("tcp") if one.raddr}


def transactions(api: Api) -> int:
    """How many are open in the API's database; connections that wait in a pool hold none."""
    with transaction(api.engine) as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
        return (session.scalar(text(query)) or 0) - 1


@pytest.fixture
def watch(watched: Api) -> Watch:
    """A connection to the event stream of an audit, read to its end."""

    async def watch(audit_id: UUID, ports: set[int]) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", watched.port)
        head = f"GET /v1/audits/{audit_id}/events HTTP/1.1\r\nHost: a\r\nConnection: close"
        writer.write(f"{head}\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        beginning = await reader.readuntil(b"event: progress")
        ports.add(writer.get_extra_info("sockname")[1])
        whole = beginning + await reader.read()
        writer.close()
        return whole

    return watch


@pytest.fixture
def many_files() -> Iterator[None]:
    """For this process, as the API does for itself."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_open_files()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_files")
def test_a_thousand_watchers(watched: Api, watch: Watch) -> None:
    """They hold no threads and no transactions, and others are answered meanwhile."""
    audits = [start(watched) for _ in range(10)]
    threads_before = threads(watched)
    ports = set[int]()

    async def scene() -> list[bytes]:
        tasks = [asyncio.create_task(watch(audits[n % 10], ports)) for n in range(WATCHERS)]
        while len(ports) < WATCHERS:
            assert not any(task.done() for task in tasks)
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient(
            base_url=watched.client.base_url, headers=HEADERS, timeout=PATIENCE_SECONDS
        ) as client:
            for number in range(20):
                worked(watched.engine, audits[number % 10], 0, done=number + 1, begin=9, until=0)
                assert (await client.get("/v1/models")).status_code == 200
            # What a busy start needed meanwhile is given back, while everybody still watches.
            while threads(watched) - threads_before > 4 or transactions(watched) > 1:
                assert (await client.get("/v1/models")).status_code == 200
                await asyncio.sleep(0.1)
        assert ports <= held(watched)
        for audit_id in audits:
            finish(watched, audit_id)
        return await asyncio.gather(*tasks)

    answers = asyncio.run(asyncio.wait_for(scene(), 2 * PATIENCE_SECONDS))
    assert all(answer.count(b"event: end") == 1 for answer in answers)
    until(lambda: not ports & held(watched))


def test_who_leaves_frees_what_it_held(watched: Api) -> None:
    audit_id = start(watched)
    watchers = [Watcher(watched, audit_id) for _ in range(30)]
    until(lambda: all(len(watcher.events) == 2 for watcher in watchers))
    ports = {watcher.port for watcher in watchers}
    assert len(ports) == 30
    assert ports <= held(watched)
    for watcher in watchers:
        watcher.leave()
    until(lambda: not ports & held(watched))


def test_a_process_that_ends_ends_its_streams(start_api: Callable[..., Api], broker_url: str) -> None:
    api = start_api(broker_url, **FAST)
    watcher = Watcher(api, start(api))
    until(lambda: len(watcher.events) == 2)
    os.kill(api.pid, signal.SIGTERM)
    until(lambda: watcher.over)
    assert "end" not in watcher.names()
    until(lambda: not Path(f"/proc/{api.pid}").exists())
