"""The request that began a piece of work, in a form that a row can keep until a worker comes to it."""

from collections.abc import Mapping

from app.observability.log_context import IDS, current_ids
from app.observability.tracing import trace_headers

Origin = dict[str, str]


def present_origin() -> Origin:
    """Of what is going on here and now: its request id and, where there are traces, its span."""
    return {name: value for name, value in current_ids().items() if name == "request_id"} | trace_headers()


def ids_of(origin: Mapping[str, str] | None) -> dict[str, str]:
    """What of it log lines carry."""
    return {name: value for name, value in (origin or {}).items() if name in IDS}
