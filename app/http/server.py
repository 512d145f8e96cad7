"""uvicorn, with httptools and uvloop."""

import asyncio
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from app.http.guards.protocol import GuardedHttp


def run_server(app: FastAPI, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` is told the real URL once connections are accepted."""
    raise_open_files()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=GuardedHttp,
        ws="none",
        loop="uvloop",
        log_config=None,
        access_log=False,  # it would hold query strings; app.http.guards.access_log writes ours
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    # uvicorn raises the signal that stopped it once more when it is done; then the process is to end well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))

    def end_streams() -> None:
        app.state.services.watch.close()

    server = _AnnouncingServer(config, announce, end_streams)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve())


class _AnnouncingServer(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, announce: Callable[[str], None], end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams without end would otherwise be waited for."""
        self._end_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            host = self.config.host
            shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - where to find it
            self._announce(f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}")


def raise_open_files() -> None:
    """From the limit that a shell gives, often 1,024, to the one that it may give: every connection takes a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS promises more than it gives.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
