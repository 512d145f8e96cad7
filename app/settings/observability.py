"""Logs and traces."""

from enum import StrEnum

from pydantic import BaseModel, Field


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    TEXT = "text"


class ObservabilitySettings(BaseModel):
    """Logs and traces."""

    log_level: str = "INFO"
    log_format: LogFormat | None = Field(default=None, description="json or text; by default text on a terminal")
    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="Where traces go, over OTLP/HTTP")
    otel_exporter_otlp_traces_endpoint: str | None = None
    otel_traces_exporter: str | None = Field(default=None, description="otlp, console or none")
    otel_service_name: str | None = None
    otel_exporter_otlp_headers: str | None = Field(default=None, repr=False)
