"""What a key may be good for."""

from enum import StrEnum


class Scope(StrEnum):
    """``audit:write`` includes ``audit:read``."""

    READ = "audit:read"
    WRITE = "audit:write"
    METRICS = "metrics:read"


def with_included(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Whoever may write may read."""
    return scopes | {Scope.READ} if Scope.WRITE in scopes else scopes
