"""Who asks for much and reads little keeps neither connections nor slots from others."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Generator
from uuid import uuid4

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.http.guards import protocol
from app.http.guards.protocol import GuardedHttp
from app.http.streams import MOST, MOST_OF_A_TENANT, Streams
from tests.waiting import PATIENCE_SECONDS, until


class Export:
    """One that counts how many are open."""

    def __init__(self) -> None:
        self.open = 0

    def parts(self) -> Generator[bytes]:
        self.open += 1
        try:
            while True:
                yield b"part"
        finally:
            self.open -= 1


async def _first(stream: AsyncIterator[bytes]) -> bytes:
    return await anext(stream)


async def _settled(asked: list[asyncio.Task[bytes]], count: int) -> None:
    """So many have been answered, and no other follows at once."""
    async with asyncio.timeout(60):
        while sum(task.done() for task in asked) < count:
            await asyncio.wait([task for task in asked if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.2)


def test_streams_wait_for_a_slot() -> None:
    async def run() -> None:
        streams, export, tenants = Streams(), Export(), [uuid4() for _ in range(3)]
        sent = [streams.send(tenant, export.parts()) for tenant in tenants for _ in range(MOST_OF_A_TENANT)]
        asked = [asyncio.create_task(_first(stream)) for stream in sent]
        await _settled(asked, MOST)
        done, waiting = [task for task in asked if task.done()], [task for task in asked if not task.done()]
        assert (len(done), export.open) == (MOST, MOST)
        # A reader who leaves, as the server closes its stream, makes room for the next.
        for stream, task in zip(sent, asked, strict=True):
            if task in done:
                await stream.aclose()  # type: ignore[attr-defined]
        assert await asyncio.wait_for(asyncio.gather(*waiting), 60)
        assert export.open == len(waiting)
        for stream in sent:
            await stream.aclose()  # type: ignore[attr-defined]
        assert export.open == 0

    asyncio.run(run())


def test_no_tenant_has_all_slots() -> None:
    async def run() -> None:
        streams, export, one, other = Streams(), Export(), uuid4(), uuid4()
        sent = [streams.send(one, export.parts()) for _ in range(2 * MOST)]
        asked = [asyncio.create_task(_first(stream)) for stream in sent]
        await _settled(asked, MOST_OF_A_TENANT)
        assert export.open == MOST_OF_A_TENANT
        assert await asyncio.wait_for(_first(streams.send(other, export.parts())), 60) == b"part"
        for task in asked:
            task.cancel()

    asyncio.run(run())


def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_SECONDS", 0.5)
    ended = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        """As starlette does: whoever has left is heard of by ``receive``."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        left = asyncio.ensure_future(receive())
        while not (left.done() and left.result()["type"] == "http.disconnect"):
            if left.done():
                left = asyncio.ensure_future(receive())
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(endless, http=GuardedHttp, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started)
        with socket.create_connection(listening.getsockname(), timeout=PATIENCE_SECONDS) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert ended.wait(PATIENCE_SECONDS)
    finally:
        server.should_exit = True
        thread.join(60)
