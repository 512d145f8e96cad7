"""Traces, where an exporter is set; where none is, OpenTelemetry is neither imported here nor needed.

``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``OTEL_TRACES_EXPORTER=console``) turns it on; the SDK's own variables apply.
"""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from app.settings import Settings

if TYPE_CHECKING:
    from app.observability.otel import OtelTracer

logger = logging.getLogger(__name__)

Carrier = Mapping[str, str]
Attributes = Mapping[str, str | int | float]


class Span(Protocol):
    """A piece of work while it goes on."""

    def rename(self, name: str) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, reason: str) -> None: ...


class _NoSpan:
    def rename(self, name: str) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, reason: str) -> None: ...


_NOTHING = _NoSpan()
_tracers: list["OtelTracer"] = []
"""None or one: this process's tracer."""


def start_tracing(settings: Settings, service: str) -> None:
    """Export spans of this process if the settings name an exporter. Call once, at its start."""
    if not settings.traces_wanted or _tracers:
        return
    try:
        from app.observability.otel import OtelTracer  # noqa: PLC0415 - costs nothing where nobody wants traces
    except ImportError:
        logger.warning("no traces: an exporter is set, but the packages of salience-audit[tracing] are missing")
        return
    _tracers.append(OtelTracer(settings, service))


def stop_tracing() -> None:
    """Send what is left; spans that end later are lost."""
    while _tracers:
        _tracers.pop().close()


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: Carrier | None = None,
    since_ns: int | None = None,
) -> AbstractContextManager[Span]:
    """A span for the length of a block (or ``since_ns`` of the clock), which fails where the block raises.

    It belongs to the span around it. With ``parent`` (W3C ``traceparent`` and ``tracestate`` by their names) it is the
    part that this process has in a trace that began elsewhere.
    """
    if not _tracers:
        return nullcontext(_NOTHING)
    return _tracers[0].span(name, attributes or {}, parent, since_ns)


def trace_headers() -> dict[str, str]:
    """What another process needs to go on with the present span; empty where there are no traces."""
    return _tracers[0].headers() if _tracers else {}
