"""How much one tenant may have other servers do in an hour.

The counts stand in the broker's Redis, so that all processes share them and no restart forgets them. While it is away
each process counts for itself: with N processes N times as much may pass, but never without end.
"""

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol
from uuid import UUID

from redis.exceptions import RedisError

from app.broker import Broker
from app.errors import EgressFailure
from app.settings import MEBIBYTE

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 3600
PATIENCE_SECONDS = 0.5
RETRY_SECONDS = 5.0
"""How long a broker that failed is left alone."""
MOST_AT_ONCE = MEBIBYTE
"""Bytes that may go uncounted for a while: not every piece is worth a question."""


@dataclass(frozen=True)
class Allowance:
    """Of an hour; 0: any number."""

    requests: int = 0
    moved: int = 0
    """Bytes, sent and received."""


class Spent(NamedTuple):
    """By a tenant, in the hour that it is."""

    requests: int
    moved: int


class Counts(Protocol):
    """Where is counted."""

    def add(self, tenant_id: UUID, requests: int, moved: int) -> Spent:
        """What the tenant has spent in this hour, with these."""


class LocalCounts:
    """Of this process, whichever client spends them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._requests: Counter[UUID] = Counter()
        self._moved: Counter[UUID] = Counter()

    def add(self, tenant_id: UUID, requests: int, moved: int) -> Spent:
        """As ``Counts`` says."""
        window = _window()
        with self._lock:
            if window != self._window:
                self._window = window
                self._requests.clear()
                self._moved.clear()
            self._requests[tenant_id] += requests
            self._moved[tenant_id] += moved
            return Spent(self._requests[tenant_id], self._moved[tenant_id])


class SharedCounts:
    """Of all processes that have this broker."""

    def __init__(self, broker: Broker) -> None:
        self._redis = broker.client(PATIENCE_SECONDS)
        self._local = LocalCounts()
        self._away_until = 0.0

    def add(self, tenant_id: UUID, requests: int, moved: int) -> Spent:
        """As ``Counts`` says."""
        if time.monotonic() >= self._away_until:
            try:
                return self._added(f"salience_audit:egress:{_window()}:{tenant_id}", requests, moved)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("the broker is away (%s): each process counts egress by itself", type(error).__name__)
        return self._local.add(tenant_id, requests, moved)

    def _added(self, place: str, requests: int, moved: int) -> Spent:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hincrby(place, "requests", requests)
            pipe.hincrby(place, "moved", moved)
            pipe.expire(place, 2 * WINDOW_SECONDS, nx=True)
            counted = pipe.execute()
        return Spent(int(counted[0]), int(counted[1]))


def _window() -> int:
    return int(time.time()) // WINDOW_SECONDS


LOCAL = LocalCounts()


@lru_cache(maxsize=4)
def shared_counts(broker_url: str, ca_file: str | None) -> SharedCounts:
    """One for a process: it keeps its connections. Raises BrokerUrlInvalid."""
    return SharedCounts(Broker.read(broker_url, ca_file))


class Meter:
    """Of one client: whose its exchanges are. Raises EgressFailure, which passes with the hour."""

    def __init__(self, allowance: Allowance, counts: Counts = LOCAL) -> None:
        self._allowance = allowance
        self._counts = counts
        self._tenant_id: UUID | None = None
        self._uncounted = 0
        self._most_uncounted = min(MOST_AT_ONCE, allowance.moved // 16 if allowance.moved else MOST_AT_ONCE)

    def charge_to(self, tenant_id: UUID) -> None:
        """From now on."""
        self._count(0)
        self._tenant_id = tenant_id

    def request(self) -> None:
        """Before it is sent. Raises EgressFailure."""
        self._check(self._count(1))

    def moved(self, size: int) -> None:
        """After so many bytes went or came. Raises EgressFailure."""
        self._uncounted += size
        if self._uncounted > self._most_uncounted:
            self._check(self._count(0))

    def close(self) -> None:
        """Nothing is left uncounted."""
        self._count(0)

    def _count(self, requests: int) -> Spent:
        moved, self._uncounted = self._uncounted, 0
        is_limited = self._allowance.requests or self._allowance.moved
        if self._tenant_id is None or not is_limited or not (requests or moved):
            return Spent(0, 0)
        return self._counts.add(self._tenant_id, requests, moved)

    def _check(self, spent: Spent) -> None:
        allowed = (self._allowance.requests, self._allowance.moved)
        for count, most, what in zip(spent, allowed, ("requests to", "bytes to and from"), strict=True):
            if most and count > most:
                detail = f"The tenant has had its {most} {what} other servers in this hour; they go on in the next."
                raise EgressFailure("egress-limit-reached", detail, passing=True)
