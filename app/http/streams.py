"""Answers that are made while they are sent: each holds a connection to the database as long as its reader takes."""

from collections.abc import AsyncIterator, Generator
from uuid import UUID

from anyio import CancelScope, to_thread
from starlette.concurrency import iterate_in_threadpool

from app.http.concurrency import ConcurrencyLimit

MOST = 4
"""What the pool has besides those of requests (app.http.dependencies), and some to spare."""
MOST_OF_A_TENANT = 2


class Streams:
    """So few at once that slow readers never keep the connections from other requests."""

    def __init__(self) -> None:
        self._limit = ConcurrencyLimit(MOST, MOST_OF_A_TENANT)

    async def send(self, tenant_id: UUID, parts: Generator[bytes]) -> AsyncIterator[bytes]:
        """The parts, once a slot is free; whoever leaves frees it."""
        async with self._limit.slot(tenant_id):
            try:
                async for part in iterate_in_threadpool(parts):
                    yield part
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(parts.close)
