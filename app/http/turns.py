"""So few of one costly thing at once, of all tenants and of each."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Turns:
    """Whoever wants a turn waits for one of its tenant's, then for one of all."""

    def __init__(self, most: int, most_of_a_tenant: int) -> None:
        self._turns = asyncio.Semaphore(most)
        self._turns_of: defaultdict[UUID, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(most_of_a_tenant))

    @asynccontextmanager
    async def turn(self, tenant_id: UUID, wait_seconds: float | None = None) -> AsyncIterator[None]:
        """Raises TimeoutError where the turn does not come in time."""
        async with asyncio.timeout(wait_seconds) as waiting, self._turns_of[tenant_id], self._turns:
            waiting.reschedule(None)
            yield
