"""A port that speaks TLS, before a server that does not."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.broker.certificates import Certificates


@contextmanager
def tls_door(certificates: Certificates, port: int) -> Iterator[int]:
    """The port in front of ``port`` of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    loop = asyncio.new_event_loop()
    opened = asyncio.start_server(lambda *ends: _handle(port, *ends), "127.0.0.1", 0, ssl=context)
    server = loop.run_until_complete(opened)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()


async def _handle(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_pipe(reader, their_writer), _pipe(their_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
