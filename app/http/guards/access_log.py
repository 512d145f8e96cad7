"""What a request took: a line in the log, and this process's numbers for Prometheus."""

import logging

from prometheus_client import Counter, Histogram

logger = logging.getLogger("app.access")

LABELS = ("method", "route", "status")
REQUESTS = Counter("salience_audit_http_requests", "HTTP requests of this process", LABELS)
SECONDS = Histogram(
    "salience_audit_http_request_duration_seconds",
    "From the request's head to its answer's end, of this process",
    LABELS,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)


def note_access(method: str, route: str, status: int | None, seconds: float, sent_bytes: int) -> None:
    """``route`` is the template, never the path: a path has ids, a query may have secrets, and both have no end.

    ``status`` is None where the caller left before an answer began.
    """
    labels = (method, route, "none" if status is None else str(status))
    REQUESTS.labels(*labels).inc()
    SECONDS.labels(*labels).observe(seconds)
    facts = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "bytes": sent_bytes,
    }
    logger.info("%s %s %s", method, route, status, extra={"facts": facts})
