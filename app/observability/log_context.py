"""Whose work a log line belongs to: ids that every line of a request or task carries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

IDS = ("request_id", "audit_id", "shard_id", "model_id", "dataset_id", "comparison_id", "task_id")

_bound: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=MappingProxyType({}))


def current_ids() -> dict[str, str]:
    """The ids bound here and now, in the order of ``IDS``; plain strings, so that another process can bind them."""
    bound_now = _bound.get()
    return {name: bound_now[name] for name in IDS if name in bound_now}


def bind(**ids: object) -> None:
    """To the end of the surrounding ``bound`` block, request or thread. Raises ValueError for a name not in IDS."""
    unknown = ids.keys() - set(IDS)
    if unknown:
        raise ValueError(f"no such ids: {sorted(unknown)}")
    _bound.set({**_bound.get(), **{name: str(value) for name, value in ids.items()}})


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """For the length of a block; whatever is bound inside it ends with it."""
    token = _bound.set(_bound.get())
    try:
        bind(**ids)
        yield
    finally:
        _bound.reset(token)
