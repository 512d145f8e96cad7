"""At most so many of one costly operation at once, of all tenants and of each."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class ConcurrencyLimit:
    """Two semaphores: a caller waits for a slot of its tenant, then for one of all."""

    def __init__(self, most: int, most_of_a_tenant: int) -> None:
        self._slots = asyncio.Semaphore(most)
        self._slots_of: defaultdict[UUID, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(most_of_a_tenant))

    @asynccontextmanager
    async def slot(self, tenant_id: UUID, wait_seconds: float | None = None) -> AsyncIterator[None]:
        """Raises TimeoutError where no slot is free in time."""
        async with asyncio.timeout(wait_seconds) as waiting, self._slots_of[tenant_id], self._slots:
            waiting.reschedule(None)
            yield
