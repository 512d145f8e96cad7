"""Many askers, one call at a time: whoever asks while a call runs shares the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


class Batches(Generic[Item, Found]):
    """Asking costs neither a thread nor a connection, however many ask at once.

    ``work`` runs in a thread and answers every item of its list, in order; what it raises, all of its askers get.
    """

    def __init__(self, thread: Executor, work: Callable[[Sequence[Item]], Sequence[Found]]) -> None:
        self._thread = thread
        self._work = work
        self._running = asyncio.Lock()
        self._waiting: list[Item] = []
        self._next: asyncio.Task[Sequence[Found]] | None = None

    async def ask(self, item: Item) -> Found:
        """A call that begins after this one was made answers it."""
        place = len(self._waiting)
        self._waiting.append(item)
        if self._next is None:
            self._next = asyncio.create_task(self._run_next())
        # Shielded: of those that share the call one may leave.
        return (await asyncio.shield(self._next))[place]

    async def _run_next(self) -> Sequence[Found]:
        async with self._running:
            items, self._waiting, self._next = self._waiting, [], None
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, items)
