"""The only importer of OpenTelemetry (the extra ``tracing``)."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import __version__
from app.settings import Settings

Attributes = Mapping[str, str | int | float]


class OtelTracer:
    """Spans of one process, sent in the background."""

    def __init__(self, settings: Settings, service: str) -> None:
        name = settings.otel_service_name or f"salience-audit-{service}"
        resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(settings)))
        self._tracer = self._provider.get_tracer("salience-audit", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, parent: Mapping[str, str] | None, since_ns: int | None
    ) -> Iterator["OtelSpan"]:
        context = None if parent is None else self._propagator.extract(dict(parent))
        kind = SpanKind.INTERNAL if parent is None else SpanKind.SERVER
        # An exception's text may hold what no other machine should see: its kind is enough.
        with self._tracer.start_as_current_span(
            name,
            context,
            kind,
            dict(attributes),
            start_time=since_ns,
            record_exception=False,
            set_status_on_exception=False,
        ) as started:
            wrapped = OtelSpan(started)
            try:
                yield wrapped
            except Exception as error:
                wrapped.fail(type(error).__name__)
                raise

    def headers(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier

    def close(self) -> None:
        self._provider.shutdown()


class OtelSpan:
    """See app.observability.tracing.Span."""

    def __init__(self, started: SdkSpan) -> None:
        self._span = started

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))


def _exporter(settings: Settings) -> SpanExporter:
    if settings.otel_traces_exporter == "console":
        return ConsoleSpanExporter(out=sys.stderr, formatter=_one_line)
    return OTLPSpanExporter()


def _one_line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"
