"""How many requests a key or a hook, and all of a tenant together, may send in a window of time."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from itertools import chain, islice
from typing import NamedTuple
from uuid import UUID

from app.access.batches import Batches
from app.broker import Broker
from app.settings import Settings
from app.windows import Charge, Counted, SharedWindows


class Standing(NamedTuple):
    """How a caller stands with one of the limits."""

    policy: str
    limit: int
    window_seconds: int
    requests: int
    """In this window, so far."""
    seconds_left: float
    """Until its end."""

    @property
    def remaining(self) -> int:
        return max(self.limit - self.requests, 0)

    @property
    def is_exceeded(self) -> bool:
        return self.requests > self.limit


class RateLimiter:
    """Counts a request against the limits of whoever sends it."""

    def __init__(self, thread: Executor, settings: Settings) -> None:
        self._window = settings.rate_window_seconds
        self._limits = {
            "key": settings.rate_limit_key,
            "hook": settings.rate_limit_hook,
            "tenant": settings.rate_limit_tenant,
        }
        broker = Broker.read(settings.broker_url, settings.broker_ca_file)
        self._windows = SharedWindows(broker, "requests", self._window, settings.rate_limit_patience_seconds)
        self._batches: Batches[list[Charge], list[Counted]] = Batches(thread, self._count)

    async def count(self, owners: Mapping[str, UUID]) -> list[Standing]:
        """How they stand with this request, by ``key``, ``hook`` and ``tenant``; a limit of 0 is none."""
        chosen = {policy: self._limits[policy] for policy in owners if self._limits[policy]}
        found = await self._batches.ask([Charge(f"{policy}:{owners[policy]}", (1,)) for policy in chosen])
        return [
            Standing(policy, limit, self._window, counted.amounts[0], counted.seconds_left)
            for (policy, limit), counted in zip(chosen.items(), found, strict=True)
        ]

    def close(self) -> None:
        self._windows.close()

    def _count(self, asked: Sequence[list[Charge]]) -> list[list[Counted]]:
        counted = iter(self._windows.add(list(chain.from_iterable(asked))))
        return [list(islice(counted, len(charges))) for charges in asked]
