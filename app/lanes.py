"""Work of several tenants at the same time, so that one tenant's slow registry keeps nobody else waiting."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.errors import SalienceError
from app.periodic import Periodic


class Work(Protocol):
    """Claimed from the database under a lease."""

    @property
    def tenant_id(self) -> UUID:
        """Whose it is."""


Claimed = TypeVar("Claimed", bound=Work)

logger = logging.getLogger(__name__)


class Lanes(Generic[Claimed]):
    """One thread looks for what is due; what it finds has threads of its own, ``threads`` at most.

    A tenant has up to ``per_tenant`` of them while more than half are free; the other half is for tenants that have
    none, one each. ``claim`` leaves out the tenants that it is given; ``work`` writes down itself what became of it.
    """

    def __init__(
        self,
        name: str,
        claim: Callable[[frozenset[UUID]], Claimed | None],
        work: Callable[[Claimed], None],
        *,
        threads: int = 8,
        per_tenant: int = 2,
    ) -> None:
        self._name = name
        self._claim = claim
        self._work = work
        self._threads = threads
        self._per_tenant = per_tenant
        self._busy: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def periodic(self, interval_seconds: float, survives: tuple[type[Exception], ...]) -> Periodic:
        """The thread that looks."""
        return Periodic(self._name, self.round, interval_seconds, survives)

    def round(self) -> None:
        """Until nothing is due, or every lane is taken."""
        while (claimed := self._next()) is not None:
            # Such a thread may wait for a registry for an hour, and must not keep the process from ending.
            threading.Thread(target=self._serve, args=(claimed,), name=f"{self._name}-lane", daemon=True).start()

    def _serve(self, first: Claimed) -> None:
        """One piece of work after the other, as long as there is some."""
        claimed: Claimed | None = first
        while claimed is not None:
            try:
                self._work(claimed)
            except (SQLAlchemyError, SalienceError) as error:
                logger.warning("%s waits: %s", self._name, type(error).__name__)
            except Exception:
                # A bug that one piece of work shows is its own; its lease runs out.
                logger.exception("%s failed in us", self._name)
            claimed = self._after(claimed)

    def _after(self, done: Claimed) -> Claimed | None:
        """The next piece, unless the database is gone: then the thread that looks finds it when it is back."""
        with self._lock:
            self._busy -= Counter([done.tenant_id])
        try:
            return self._next()
        except SQLAlchemyError:
            return None

    def _next(self) -> Claimed | None:
        with self._lock:
            free = self._threads - self._busy.total()
            if not free:
                return None
            most = self._per_tenant if 2 * free > self._threads else 1
            full = frozenset(tenant for tenant, count in self._busy.items() if count >= most)
            claimed = self._claim(full)
            if claimed is not None:
                self._busy[claimed.tenant_id] += 1
            return claimed
