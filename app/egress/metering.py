"""How much one tenant may have other servers do in an hour, as each process counts it."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from app.errors import EgressFailure

WINDOW_SECONDS = 3600


@dataclass(frozen=True)
class Allowance:
    """Of an hour; 0: any number."""

    requests: int = 0
    received: int = 0
    """Bytes."""


class _Counts:
    """Of this process, whichever client spends them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._requests: Counter[UUID] = Counter()
        self._received: Counter[UUID] = Counter()

    def add(self, tenant_id: UUID, requests: int, received: int) -> tuple[int, int]:
        """What the tenant has spent in this hour, with these."""
        window = int(time.time()) // WINDOW_SECONDS
        with self._lock:
            if window != self._window:
                self._window = window
                self._requests.clear()
                self._received.clear()
            self._requests[tenant_id] += requests
            self._received[tenant_id] += received
            return self._requests[tenant_id], self._received[tenant_id]


_COUNTS = _Counts()


class Meter:
    """Of one client: whose its exchanges are. Raises EgressFailure, which passes with the hour."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._tenant_id: UUID | None = None

    def charge_to(self, tenant_id: UUID) -> None:
        """From now on."""
        self._tenant_id = tenant_id

    def request(self) -> None:
        """Before it is sent."""
        self._count(1, 0)

    def received(self, size: int) -> None:
        """After so many bytes came."""
        self._count(0, size)

    def _count(self, requests: int, received: int) -> None:
        if self._tenant_id is None:
            return
        spent = _COUNTS.add(self._tenant_id, requests, received)
        allowed = (self._allowance.requests, self._allowance.received)
        for count, most, what in zip(spent, allowed, ("requests to", "bytes from"), strict=True):
            if most and count > most:
                detail = f"The tenant has had its {most} {what} other servers in this hour; they go on in the next."
                raise EgressFailure("egress-limit-reached", detail, passing=True)
