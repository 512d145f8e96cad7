"""Threads that take one piece of work after the other, so that one tenant's slow registry keeps nobody else waiting."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.periodic import Periodic


class Work(Protocol):
    """Claimed from the database under a lease."""

    @property
    def tenant_id(self) -> UUID:
        """Whose it is."""


Claimed = TypeVar("Claimed", bound=Work)

logger = logging.getLogger(__name__)


class Lanes(Generic[Claimed]):
    """``claim`` leaves out the tenants that it is given; ``work`` writes down itself what became of it."""

    def __init__(
        self,
        name: str,
        claim: Callable[[frozenset[UUID]], Claimed | None],
        work: Callable[[Claimed], None],
        *,
        threads: int = 4,
        per_tenant: int = 2,
    ) -> None:
        self._name = name
        self._claim = claim
        self._work = work
        self._threads = threads
        self._per_tenant = per_tenant
        self._busy: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def periodic(self, interval_seconds: float, survives: tuple[type[Exception], ...]) -> list[Periodic]:
        """The threads."""
        return [
            Periodic(f"{self._name}-{number}", self.round, interval_seconds, survives)
            for number in range(self._threads)
        ]

    def round(self) -> None:
        """Until nothing is due."""
        while (claimed := self._next()) is not None:
            try:
                self._work(claimed)
            except SQLAlchemyError:
                raise
            except Exception:
                # A bug that one piece of work shows must not end the thread for all others; its lease runs out.
                logger.exception("%s failed in us", self._name)
            finally:
                with self._lock:
                    self._busy[claimed.tenant_id] -= 1

    def _next(self) -> Claimed | None:
        with self._lock:
            full = frozenset(tenant for tenant, count in self._busy.items() if count >= self._per_tenant)
            claimed = self._claim(full)
            if claimed is not None:
                self._busy[claimed.tenant_id] += 1
            return claimed
