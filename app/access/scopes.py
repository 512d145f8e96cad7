"""What a key may be good for, and what each request needs."""

from enum import StrEnum
from typing import Final

from app.settings import Settings


class Scope(StrEnum):
    """``audit:write`` includes ``audit:read``."""

    READ = "audit:read"
    WRITE = "audit:write"
    METRICS = "metrics:read"


HEALTH: Final = frozenset({"/livez", "/readyz"})
DOCUMENTS: Final = frozenset({"/docs", "/openapi.json"})
DOCUMENT_FILES: Final = "/docs/assets/"
METRICS: Final = "/metrics"
READING_POSTS: Final = frozenset({"/v1/audits:estimate"})
REPORT_LINKS: Final = "/report-links"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_open(path: str, settings: Settings) -> bool:
    """Whether it asks for no key: health, and what the settings open. Everything else does, whatever is added."""
    is_document = path in DOCUMENTS or path.startswith(DOCUMENT_FILES)
    return path in HEALTH or is_document or (path == METRICS and bool(settings.open_metrics))


def needed_scope(method: str, path: str) -> Scope:
    """Of a request that is not open."""
    if path == METRICS:
        return Scope.METRICS
    reads = method in _READING or path in READING_POSTS or path.endswith(REPORT_LINKS)
    return Scope.READ if reads else Scope.WRITE


def with_included(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Whoever may write may read."""
    return scopes | {Scope.READ} if Scope.WRITE in scopes else scopes
