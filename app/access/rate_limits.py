"""How many requests a key or a hook, and all of a tenant together, may send in a window of time.

A window begins with its first request. The counts stand in the broker's Redis, so that all API processes share them.
While it is away each process counts for itself: with N processes N times as many may pass, but never without end.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from itertools import chain, islice
from typing import NamedTuple
from uuid import UUID

from redis.exceptions import RedisError

from app.access.batches import Batches
from app.broker import Broker
from app.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""How long a broker that failed is left alone: no request waits for it in the meantime."""
MOST_WINDOWS = 10_000


class Counted(NamedTuple):
    """Requests of a window so far, and the seconds until its end."""

    requests: int
    seconds_left: float


class Standing(NamedTuple):
    """How a caller stands with one of the limits."""

    policy: str
    limit: int
    window_seconds: int
    counted: Counted

    @property
    def remaining(self) -> int:
        return max(self.limit - self.counted.requests, 0)

    @property
    def is_exceeded(self) -> bool:
        return self.counted.requests > self.limit


class RateLimiter:
    """Counts a request against the limits of whoever sends it."""

    def __init__(self, thread: Executor, settings: Settings) -> None:
        self._window = settings.rate_window_seconds
        self._limits = {
            "key": settings.rate_limit_key,
            "hook": settings.rate_limit_hook,
            "tenant": settings.rate_limit_tenant,
        }
        patience = settings.rate_limit_patience_seconds
        self._redis = Broker.read(settings.broker_url, settings.broker_ca_file).client(patience)
        self._local = _LocalWindows(self._window)
        self._away_until = 0.0
        self._batches: Batches[list[str], list[Counted]] = Batches(thread, self._count)

    async def count(self, owners: Mapping[str, UUID]) -> list[Standing]:
        """How they stand with this request, by ``key``, ``hook`` and ``tenant``; a limit of 0 is none."""
        chosen = {policy: self._limits[policy] for policy in owners if self._limits[policy]}
        found = await self._batches.ask([f"{policy}:{owners[policy]}" for policy in chosen])
        pairs = zip(chosen.items(), found, strict=True)
        return [Standing(policy, limit, self._window, counted) for (policy, limit), counted in pairs]

    def close(self) -> None:
        self._redis.close()

    def _count(self, asked: Sequence[list[str]]) -> list[list[Counted]]:
        counted = iter(self._count_all(list(chain.from_iterable(asked))))
        return [list(islice(counted, len(names))) for names in asked]

    def _count_all(self, names: list[str]) -> list[Counted]:
        if time.monotonic() >= self._away_until:
            try:
                return self._count_in_redis(names)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("the broker is away (%s): each process limits rates by itself", type(error).__name__)
        return [self._local.count(name) for name in names]

    def _count_in_redis(self, names: list[str]) -> list[Counted]:
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                place = f"salience_audit:rate:{name}"
                pipe.incr(place)
                pipe.expire(place, self._window, nx=True)
                pipe.pttl(place)
            answers = pipe.execute()
        pairs = zip(answers[::3], answers[2::3], strict=True)
        return [Counted(int(requests), max(int(milliseconds), 0) / 1000) for requests, milliseconds in pairs]


class _LocalWindows:
    """The same, in this process alone."""

    def __init__(self, window_seconds: int) -> None:
        self._window = window_seconds
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, name: str) -> Counted:
        now = time.monotonic()
        end, requests = self._windows.get(name, (0.0, 0))
        if end <= now:
            self._forget_ended(now)
            end, requests = now + self._window, 0
        self._windows[name] = (end, requests + 1)
        return Counted(requests + 1, min(end - now, self._window))  # rounding may leave more than was added

    def _forget_ended(self, now: float) -> None:
        if len(self._windows) >= MOST_WINDOWS:
            self._windows = {name: window for name, window in self._windows.items() if window[0] > now}
