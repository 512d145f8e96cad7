"""How long a connection waits, by a clock that the test moves."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.http.guards.protocol import HEADER_SECONDS, MIN_ANSWER_BYTES, GuardedHttp

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Loop:
    """Timers that nothing but `pass_by` lets run out; tasks run at once."""

    def __init__(self) -> None:
        self.timers: list[Any] = []

    def call_later(self, seconds: float, call: Any, *arguments: Any) -> Any:
        timer = SimpleNamespace(seconds=seconds, call=lambda: call(*arguments))

        def cancel() -> None:
            self.timers = [other for other in self.timers if other is not timer]

        timer.cancel = cancel
        self.timers.append(timer)
        return timer

    def create_task(self, task: Any, **_: Any) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(task)

    def pass_by(self, seconds: float) -> None:
        due = [timer for timer in self.timers if timer.seconds <= seconds]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            timer.call()


class Transport:
    """Notes what becomes of the connection."""

    def __init__(self) -> None:
        self.unread, self.written = 0, b""
        self.end: str = ""

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.end = "aborted"

    def close(self) -> None:
        self.end = self.end or "closed"

    def is_closing(self) -> bool:
        return bool(self.end)

    def get_extra_info(self, _: str) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def parts() -> Iterator[tuple[GuardedHttp, Transport, Loop]]:
    config = uvicorn.Config(application, http=GuardedHttp, lifespan="off", log_config=None, timeout_keep_alive=30)
    config.load()
    loop, transport = Loop(), Transport()
    connection = GuardedHttp(config, ServerState(), {}, cast("asyncio.AbstractEventLoop", loop))
    connection.connection_made(cast("asyncio.Transport", transport))
    yield connection, transport, loop
    connection.connection_lost(None)


def test_a_slow_reader_is_waited_for_as_long_as_it_reads(parts: tuple[GuardedHttp, Transport, Loop]) -> None:
    connection, transport, loop = parts
    loop.timers.clear()
    transport.unread = 10 * MIN_ANSWER_BYTES
    connection.pause_writing()
    for _ in range(5):
        transport.unread -= MIN_ANSWER_BYTES
        loop.pass_by(30)
        assert not transport.end
    transport.unread -= MIN_ANSWER_BYTES - 1
    loop.pass_by(30)
    assert transport.end == "aborted"


@pytest.mark.parametrize("between", [b"", b"\r\n", b"\r\n\r\n", b"GET / HT"])
def test_a_connection_without_requests_is_closed(parts: tuple[GuardedHttp, Transport, Loop], between: bytes) -> None:
    connection, transport, loop = parts

    async def run() -> None:
        connection.data_received(REQUEST)
        await asyncio.gather(*connection.tasks)
        assert transport.written.startswith(b"HTTP/1.1 204 ")
        if between:
            connection.data_received(between)

    asyncio.run(run())
    assert not transport.is_closing()
    loop.pass_by(HEADER_SECONDS)
    assert transport.end == "closed"
