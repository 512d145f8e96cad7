"""One form for every line that any process logs, whoever logs it: this project, uvicorn, Celery or a library."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from app.observability.log_context import current_ids
from app.observability.redaction import Redactor
from app.settings import LogFormat, Settings

Facts = dict[str, Any]

logger = logging.getLogger(__name__)


def configure_logging(settings: Settings) -> None:
    """Send all logging of this process to standard error, in the chosen form. Call once, at its start."""
    as_text = sys.stderr.isatty() if settings.log_format is None else settings.log_format is LogFormat.TEXT
    redact = Redactor(settings.secrets())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter(redact) if as_text else JsonFormatter(redact))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)  # ten lines at every start
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


class _Formatter(logging.Formatter):
    """``extra={"facts": {...}}`` of a logging call adds fields to its line."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def _fields(self, record: logging.LogRecord) -> Facts:
        """What follows the message: ids, the call's facts, and the traceback of an exception."""
        facts: Facts = {**current_ids(), **getattr(record, "facts", {})}
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return {name: self._redact(value) if isinstance(value, str) else value for name, value in facts.items()}


class JsonFormatter(_Formatter):
    """One JSON object a line: time (RFC 3339 UTC), level, logger, message, ids, facts, exception."""

    def format(self, record: logging.LogRecord) -> str:
        head = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        return json.dumps(head | self._fields(record), ensure_ascii=False, default=lambda fact: self._redact(str(fact)))


class TextFormatter(_Formatter):
    """For people: the same, as ``name=value`` after the message."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self._fields(record)
        trace = fields.pop("exception", None)
        # A message may quote what a stranger sent; it is to stay on its line.
        message = self._redact(record.getMessage()).replace("\r", "\\r").replace("\n", "\\n")
        words = [_time(record), f"{record.levelname:7}", record.name, message]
        line = " ".join([*words, *(f"{name}={value}" for name, value in fields.items())])
        return line if trace is None else f"{line}\n{trace}"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("the process ends by an error that nobody caught", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    if caught.exc_value is not None:
        name = caught.thread.name if caught.thread else "a thread"
        facts = (caught.exc_type, caught.exc_value, caught.exc_traceback)
        logger.critical("%s ends by an error that nobody caught", name, exc_info=facts)
