"""The stack of an unpickler, its marks and its memo, none of which grows beyond what a file of weights needs."""

from typing import cast

from app.domain.refusals.weights import UNSAFE

MAX_OPCODES = 2_000_000
MAX_MARKS = 1_000


class Stack:
    """Its methods that take an argument are opcodes. What finds not what it takes raises ValueError or LookupError."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._seen = 0

    def result(self) -> object:
        (value,) = self._stack
        if self._below:
            raise ValueError("a mark is left over")
        return value

    def _count(self) -> None:
        """One opcode more. Raises InputFailure ``model-unsafe`` for too many."""
        self._seen += 1
        if self._seen > MAX_OPCODES:
            raise UNSAFE.failure(what="its pickle is too long")

    def _pop(self, count: int) -> tuple[object, ...]:
        if len(self._stack) < count:
            raise IndexError("the stack is empty")
        taken = tuple(self._stack[len(self._stack) - count :])
        del self._stack[len(self._stack) - count :]
        return taken

    def _pop_to_mark(self) -> list[object]:
        taken, self._stack = self._stack, self._below.pop()
        return taken

    def mark(self, _: object) -> None:
        if len(self._below) >= MAX_MARKS:
            raise UNSAFE.failure(what="its pickle is nested too deeply")
        self._below.append(self._stack)
        self._stack = []

    def pop(self, _: object) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_to_mark()

    def pop_mark(self, _: object) -> None:
        self._pop_to_mark()

    def dup(self, _: object) -> None:
        self._stack.append(self._stack[-1])

    def put(self, argument: object) -> None:
        place = len(self._memo) if argument is None else int(cast("int", argument))
        if not 0 <= place <= self._seen:
            raise UNSAFE.failure(what="its pickle numbers its memo beyond its own length")
        self._memo[place] = self._stack[-1]

    def get(self, argument: object) -> None:
        self._stack.append(self._memo[int(cast("int", argument))])
