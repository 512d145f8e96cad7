"""Counts in windows of time. They stand in the broker's Redis, so that all processes share them and no restart forgets
them.

A window begins with the first of its counts. While the broker is away each process counts for itself: with N processes
N times as much may pass, but never without end.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from redis.exceptions import RedisError

from app.broker import Broker

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""How long a broker that failed is left alone: nobody waits for it in the meantime."""
MOST_WINDOWS = 10_000


class Charge(NamedTuple):
    """What is to be counted, under which name."""

    name: str
    amounts: tuple[int, ...]


class Counted(NamedTuple):
    """Of a window so far, and the seconds until its end."""

    amounts: tuple[int, ...]
    seconds_left: float


class Windows(Protocol):
    """Where is counted."""

    def add(self, charges: Sequence[Charge]) -> list[Counted]:
        """What each name's window has with them."""


class LocalWindows:
    """Of this process alone."""

    def __init__(self, window_seconds: int) -> None:
        self._window = window_seconds
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, tuple[int, ...]]] = {}

    def add(self, charges: Sequence[Charge]) -> list[Counted]:
        """As ``Windows`` says."""
        with self._lock:
            return [self._add(one) for one in charges]

    def _add(self, charge: Charge) -> Counted:
        now = time.monotonic()
        end, amounts = self._windows.get(charge.name, (0.0, charge.amounts))
        if end <= now:
            self._forget_ended(now)
            end, amounts = now + self._window, charge.amounts
        else:
            amounts = tuple(map(sum, zip(amounts, charge.amounts, strict=True)))
        self._windows[charge.name] = (end, amounts)
        return Counted(amounts, min(end - now, self._window))  # rounding may leave more than was added

    def _forget_ended(self, now: float) -> None:
        if len(self._windows) >= MOST_WINDOWS:
            self._windows = {name: window for name, window in self._windows.items() if window[0] > now}


class SharedWindows:
    """Of all processes that have this broker; ``what`` they count is part of its names there."""

    def __init__(self, broker: Broker, what: str, window_seconds: int, patience_seconds: float) -> None:
        self._redis = broker.client(patience_seconds)
        self._what = what
        self._window = window_seconds
        self._local = LocalWindows(window_seconds)
        self._away_until = 0.0

    def add(self, charges: Sequence[Charge]) -> list[Counted]:
        """As ``Windows`` says."""
        if time.monotonic() >= self._away_until:
            try:
                return self.add_shared(charges)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + RETRY_SECONDS
                told = (type(error).__name__, self._what)
                logger.warning("the broker is away (%s): each process counts its %s by itself", *told)
        return self._local.add(charges)

    def add_shared(self, charges: Sequence[Charge]) -> list[Counted]:
        """Raises RedisError, OSError while the broker is away."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name, amounts in charges:
                place = f"salience_audit:window:{self._what}:{name}"
                for field, amount in enumerate(amounts):
                    pipe.hincrby(place, str(field), amount)
                pipe.expire(place, self._window, nx=True)
                pipe.pttl(place)
            answers = iter(pipe.execute())
        return [self._read([next(answers) for _ in range(len(amounts) + 2)]) for _, amounts in charges]

    def close(self) -> None:
        self._redis.close()

    @staticmethod
    def _read(answers: list[int]) -> Counted:
        *amounts, _, milliseconds = map(int, answers)
        return Counted(tuple(amounts), max(milliseconds, 0) / 1000)
