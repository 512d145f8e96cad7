"""A port that speaks TLS, before a server that does not."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from tests.broker.certificates import Certificates


@contextmanager
def tls_door(certificates: Certificates, port: int) -> Iterator[int]:
    """The port in front of ``port`` of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    opened: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = SimpleQueue()

    async def serve() -> None:
        ended = asyncio.Event()
        server = await asyncio.start_server(lambda *ends: _handle(port, *ends), "127.0.0.1", 0, ssl=context)
        opened.put((asyncio.get_running_loop(), ended, server.sockets[0].getsockname()[1]))
        await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, ended, door = opened.get(timeout=30)
    yield door
    loop.call_soon_threadsafe(ended.set)
    thread.join()


async def _handle(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pipe(reader, their_writer), _pipe(their_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
