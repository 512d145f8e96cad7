"""Work that goes on in a thread while whoever wants it is busy with something else."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def taken_early(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The items in order: ``count`` of those behind one are taken before it is handed on."""
    taken: deque[Item] = deque()
    for item in items:
        taken.append(item)
        if len(taken) > count:
            yield taken.popleft()
    yield from taken


def one_ahead(pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``work`` of each item in order: that of the next is begun before the caller gets the one before it."""
    waiting: Future[Result] | None = None
    for item in items:
        begun = pool.submit(copy_context().run, work, item)
        if waiting is not None:
            yield waiting.result()
        waiting = begun
    if waiting is not None:
        yield waiting.result()
