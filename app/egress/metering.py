"""How much one tenant may have other servers do in an hour."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from app.broker import Broker
from app.errors import EgressFailure
from app.settings import MEBIBYTE
from app.windows import Charge, LocalWindows, SharedWindows, Windows

WINDOW_SECONDS = 3600
PATIENCE_SECONDS = 0.5
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


LOCAL = LocalWindows(WINDOW_SECONDS)
"""Of this process, whichever client spends them."""


@lru_cache(maxsize=4)
def shared_windows(broker_url: str, ca_file: str | None) -> SharedWindows:
    """One for a process: it keeps its connections. Raises BrokerUrlInvalid."""
    return SharedWindows(Broker.read(broker_url, ca_file), "egress", WINDOW_SECONDS, PATIENCE_SECONDS)


class Meter:
    """Of one client: whose its exchanges are. Raises EgressFailure, which passes with the hour."""

    def __init__(self, allowance: Allowance, windows: Windows = LOCAL) -> None:
        self._allowance = allowance
        self._windows = windows
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
        (counted,) = self._windows.add([Charge(str(self._tenant_id), (requests, moved))])
        return Spent(*counted.amounts)

    def _check(self, spent: Spent) -> None:
        allowed = (self._allowance.requests, self._allowance.moved)
        for count, most, what in zip(spent, allowed, ("requests to", "bytes to and from"), strict=True):
            if most and count > most:
                detail = f"The tenant has had its {most} {what} other servers in this hour; they go on in the next."
                raise EgressFailure("egress-limit-reached", detail, passing=True)
