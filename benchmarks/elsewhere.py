"""Peers as users run them: in a process of their own, whose heap is glibc's as it comes."""

import importlib
import multiprocessing
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

_prepared: list[Callable[[], Any]] = []


class Elsewhere:
    """``module.factory(*arguments)`` makes a callable over there, once; a call here runs it and waits for its end."""

    def __init__(self, module: str, factory: str, *arguments: Any) -> None:
        self._pool = multiprocessing.get_context("spawn").Pool(1, _prepare, (module, factory, arguments))

    def __call__(self) -> None:
        self._pool.apply(_run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()
        self._pool.join()


def _prepare(module: str, factory: str, arguments: tuple[Any, ...]) -> None:
    _prepared.append(getattr(importlib.import_module(module), factory)(*arguments))


def _run() -> None:
    """The result stays where it is: sending it would be timed as well."""
    _prepared[0]()
