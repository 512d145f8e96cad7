"""Who gets a thread while others' registries hang."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from app.lanes import USUAL, Lanes, Size
from tests.waiting import until


@dataclass(frozen=True)
class Piece:
    tenant_id: UUID


class Hanging:
    """Work that does not end until it is let go."""

    def __init__(self, *due: UUID) -> None:
        self.due = [Piece(tenant) for tenant in due]
        self.begun: Counter[UUID] = Counter()
        self.order: list[UUID] = []
        self.ended = 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def claim(self, full: frozenset[UUID]) -> Piece | None:
        found = next((piece for piece in self.due if piece.tenant_id not in full), None)
        if found is not None:
            self.due.remove(found)
        return found

    def work(self, piece: Piece) -> None:
        with self._lock:
            self.begun[piece.tenant_id] += 1
            self.order.append(piece.tenant_id)
        self.go.wait(30)
        with self._lock:
            self.ended += 1


@contextmanager
def hanging(*due: UUID, size: Size = USUAL) -> Iterator[tuple[Hanging, Lanes[Piece]]]:
    work = Hanging(*due)
    lanes = Lanes("test", work.claim, work.work, size=size)
    try:
        lanes.round()
        yield work, lanes
    finally:
        work.go.set()


def test_a_tenant_has_two_lanes_and_others_go_on() -> None:
    """Two tenants that hang leave room for four more, who leave none."""
    first, second, *others = (uuid4() for _ in range(7))
    with hanging(*[first] * 5, *[second] * 5) as (work, lanes):
        until(lambda: work.begun == {first: 2, second: 2})
        work.due += [Piece(tenant) for tenant in others]
        lanes.round()
        until(lambda: work.begun.total() == 8)
        assert {work.begun[tenant] for tenant in others} == {0, 1}
        lanes.round()
        assert work.begun.total() == 8
    until(lambda: not work.due and work.ended == 15)


def test_half_of_the_couriers_threads_are_for_others() -> None:
    four = [uuid4() for _ in range(4)]
    newcomers = [uuid4() for _ in range(6)]
    with hanging(*[tenant for tenant in four for _ in range(9)], size=Size(16, 4)) as (work, lanes):
        until(lambda: work.begun == dict.fromkeys(four, 2))
        work.due += [Piece(tenant) for tenant in newcomers]
        lanes.round()
        until(lambda: work.begun.total() == 14)
        assert [work.begun[tenant] for tenant in newcomers] == [1] * 6


def test_who_has_much_to_do_waits_for_who_has_little() -> None:
    """However long it has been due: everybody else is claimed from first."""
    one, other = uuid4(), uuid4()
    with hanging(*[one] * 3, size=Size(1, 1)) as (work, _):
        until(lambda: work.begun == {one: 1})
        work.due.append(Piece(other))
        work.go.set()
        until(lambda: work.ended == 4)
    assert work.order == [one, other, one, one]


def test_work_that_would_begin_anew_stays_in_half_of_the_lanes() -> None:
    """What goes on where it was has to end wherever a tenant waits that has no lane."""
    tenants, waiting = [uuid4() for _ in range(8)], list[UUID]()
    work = Hanging(*tenants)
    lanes = Lanes("test", work.claim, work.work, lambda full: bool(set(waiting) - full))
    try:
        lanes.round()
        until(lambda: work.begun.total() == 8)
        pieces = [Piece(tenant) for tenant in tenants]
        waiting.append(tenants[0])
        assert not any(lanes.must_end(piece, goes_on=True) for piece in pieces)
        waiting.append(uuid4())
        assert all(lanes.must_end(piece, goes_on=True) for piece in pieces)
        assert [lanes.must_end(piece, goes_on=False) for piece in pieces] == [False] * 4 + [True] * 4
        assert [lanes.must_end(piece, goes_on=False) for piece in pieces] == [False] * 4 + [True] * 4
    finally:
        work.go.set()
