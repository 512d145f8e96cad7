"""What counting many requests in one pipeline gains over `limits`, which counts each by itself.

`python -m benchmarks.rate_limits`. Both count a key and its tenant in a Valkey and learn what is left of both
windows, as every answer tells it; the callers wait for their counts, as requests do.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from app.access.rate_limits import RateLimiter
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from app.settings import Settings
from benchmarks.machine import describe
from benchmarks.table import Row, Section

CALLERS = (1, 16, 64)
REQUESTS, ROUNDS = 512, 3
PATIENCE_SECONDS = 60
LIMIT = 10**9

Count = Callable[[UUID, UUID], Awaitable[object]]


class Limits:
    """A key and a tenant in fixed windows, by the library."""

    def __init__(self, url: str) -> None:
        storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            max_connections=2 * max(CALLERS),
            socket_connect_timeout=PATIENCE_SECONDS,
        )
        self._limiter = FixedWindowRateLimiter(storage)
        self._item = RateLimitItemPerMinute(LIMIT)

    async def count(self, key_id: UUID, tenant_id: UUID) -> list[object]:
        return list(await asyncio.gather(self._one(f"key:{key_id}"), self._one(f"tenant:{tenant_id}")))

    async def _one(self, name: str) -> object:
        await self._limiter.hit(self._item, name)
        return await self._limiter.get_window_stats(self._item, name)


@contextmanager
def valkey() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedValkey(Path(folder) / "valkey")
        child = Child(server.child(Path(folder) / "log"))
        child.wait_ready()
        yield server.url
        child.stop()


async def seconds(count: Count, callers: int) -> float:
    """For all requests, sent by so many callers at once, each waiting for its answer."""
    owners = [(uuid4(), uuid4()) for _ in range(callers)]

    async def call(owner: tuple[UUID, UUID]) -> None:
        for _ in range(REQUESTS // callers):
            await count(*owner)

    begun = time.perf_counter()
    await asyncio.gather(*map(call, owners))
    return time.perf_counter() - begun


async def compare(url: str) -> list[Row]:
    settings = Settings(
        broker_url=url, rate_limit_key=LIMIT, rate_limit_tenant=LIMIT, rate_limit_patience_seconds=PATIENCE_SECONDS
    )
    rows = []

    def both(key_id: UUID, tenant_id: UUID) -> Awaitable[object]:
        return ours.count({"key": key_id, "tenant": tenant_id})

    with ThreadPoolExecutor(1) as thread:
        ours, theirs = RateLimiter(thread, settings), Limits(url)
        for callers in CALLERS:
            rounds = [(await seconds(both, callers), await seconds(theirs.count, callers)) for _ in range(ROUNDS)]
            own, others = (REQUESTS / statistics.median(times) for times in zip(*rounds, strict=True))
            gain = statistics.median(other / one for one, other in rounds)
            rows.append(
                Row(f"{callers} at once", f"{gain:.1f}", note=f"{own:,.0f} and {others:,.0f} requests a second")
            )
        ours.close()
    return rows


def main() -> None:
    print(f"Measured on {describe()}; load {os.getloadavg()[0]:.1f}\n")
    with valkey() as url:
        rows = asyncio.run(compare(url))
    method = f"{REQUESTS} requests, each counted for a key and a tenant; medians of {ROUNDS} rounds in turn."
    print(Section("Counting requests, ours against limits", method, rows).to_markdown())


if __name__ == "__main__":
    main()
