"""What routes ask of servers that tenants choose: few at once, of one tenant fewer, on threads of their own.

Such a server may take its time. Meanwhile nothing is held that other requests need: no slot or connection of the
database's, and no thread of theirs.
"""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread

from app.domain.problems.service import OVERLOADED
from app.http.concurrency import ConcurrencyLimit
from app.sources.addresses import listed_dataset

AT_ONCE = 12
AT_ONCE_OF_A_TENANT = 2
WAIT_SECONDS = 30.0

Result = TypeVar("Result")


class Outward:
    """One for each API process; made where its event loop runs."""

    def __init__(self) -> None:
        self._limit = ConcurrencyLimit(AT_ONCE, AT_ONCE_OF_A_TENANT)
        self._threads = CapacityLimiter(AT_ONCE)

    async def call(self, tenant_id: UUID, ask: Callable[[], Result]) -> Result:
        """What ``ask`` returns, which has a limit of time of its own. Raises Unavailable where no slot is free."""
        try:
            async with self._limit.slot(tenant_id, WAIT_SECONDS):
                return await to_thread.run_sync(ask, limiter=self._threads)
        except TimeoutError as error:
            raise OVERLOADED.error(what="calls of this tenant's to other servers") from error

    async def read(self, tenant_id: UUID, digest: str, read: Callable[[], Result]) -> Result:
        """What ``read`` finds in the data set stored under ``digest``: a call only where that lies elsewhere."""
        if listed_dataset(digest) is None:
            return await to_thread.run_sync(read)
        return await self.call(tenant_id, read)
