"""Work of several tenants at the same time, so that one tenant's slow registry keeps nobody else waiting."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.errors import SalienceError
from app.periodic import Periodic


class Work(Protocol):
    """Claimed from the database under a lease."""

    @property
    def tenant_id(self) -> UUID:
        """Whose it is."""


class Size(NamedTuple):
    """How many there are, and how many of them one tenant may have while more than half are free."""

    threads: int = 8
    per_tenant: int = 2


USUAL = Size()
Claimed = TypeVar("Claimed", bound=Work)

logger = logging.getLogger(__name__)


class Lanes(Generic[Claimed]):
    """One thread looks for what is due; what it finds has threads of its own.

    A tenant has several of them while more than half are free; the other half is for tenants that have none, one each.
    Tenants take turns: whoever has much to do is not claimed from again before all others were.
    ``claim`` leaves out the tenants that it is given, as does ``waits``, which says whether there would be something;
    ``work`` writes down itself what became of it, and may ask meanwhile whether it must end (`must_end`).
    """

    def __init__(
        self,
        name: str,
        claim: Callable[[frozenset[UUID]], Claimed | None],
        work: Callable[[Claimed], None],
        waits: Callable[[frozenset[UUID]], bool] = lambda _: False,
        size: Size = USUAL,
    ) -> None:
        self._name = name
        self._claim = claim
        self._work = work
        self._threads, self._per_tenant = size
        self._waits = waits
        self._busy: Counter[UUID] = Counter()
        self._served: set[UUID] = set()
        """Tenants of whom something was claimed since all who waited had their turn."""
        self._staying: set[Claimed] = set()
        """Work that was allowed to stay, though somebody waits."""
        self._lock = threading.Lock()

    def periodic(self, interval_seconds: float, survives: tuple[type[Exception], ...]) -> Periodic:
        """The thread that looks."""
        return Periodic(self._name, self.round, interval_seconds, survives)

    def round(self) -> None:
        """Until nothing is due, or every lane is taken."""
        while (claimed := self._next()) is not None:
            # Such a thread may wait for a registry for an hour, and must not keep the process from ending.
            threading.Thread(target=self._serve, args=(claimed,), name=f"{self._name}-lane", daemon=True).start()

    def must_end(self, work: Claimed, *, goes_on: bool) -> bool:
        """Whether a tenant without a lane waits for one, and none is free: asked by work that was at it for long. What
        would have to begin anew may stay, as long as half of the lanes are left for others."""
        with self._lock:
            if self._busy.total() < self._threads:
                return False
            full = frozenset(self._busy)
        if not self._waits(full):
            return False
        with self._lock:
            if not goes_on and (work in self._staying or 2 * len(self._staying) < self._threads):
                self._staying.add(work)
            return goes_on or work not in self._staying

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
            self._staying.discard(done)
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
            claimed = self._claim(full | self._served)
            if claimed is None and self._served:
                self._served.clear()
                claimed = self._claim(full)
            if claimed is not None:
                self._served.add(claimed.tenant_id)
                self._busy[claimed.tenant_id] += 1
            return claimed
