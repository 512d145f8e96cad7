"""Addresses of our own in answers: behind a reverse proxy with a path prefix they begin with it."""

from contextvars import ContextVar

_prefix: ContextVar[str] = ContextVar("prefix", default="")


def set_prefix(prefix: str) -> None:
    """Of the request that is being answered, such as ``/salience``."""
    _prefix.set(prefix)


def link(path: str) -> str:
    """The path as this request's caller reaches it."""
    return f"{_prefix.get()}{path}"
