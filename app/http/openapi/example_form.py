"""What the examples of a route are made of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

JSON = "application/json"


@dataclass(frozen=True)
class RouteExamples:
    """Bodies to send, answers to expect, and the ways in which the route refuses on purpose.

    ``answers`` are by status and media type, ``requests`` by title. ``problems`` are codes of the catalogue, each with
    the detail of this route, or None for the catalogue's.
    """

    answers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    requests: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str | None] = field(default_factory=dict)


def recorded(room: str, name: str) -> Any:
    """An answer of a real run with the demo's networks, shortened: JSON as its value, all else as text.

    ``room`` is the package that keeps it, in ``answers/``.
    """
    text = (files(room) / "answers" / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


def page(*items: Any) -> dict[str, Any]:
    """The last page of a list."""
    return {"items": list(items), "next_cursor": None}


def codes(*names: str) -> dict[str, str | None]:
    """With the catalogue's details."""
    return dict.fromkeys(names)


BODY = codes("malformed-json", "unsupported-media-type", "unsupported-content-encoding", "validation-error")
ONCE = BODY | codes("idempotency-key-reused")
PAGES = codes("validation-error", "invalid-cursor")
UPLOAD = codes(
    "upload-cut-off",
    "content-already-set",
    "quota-exceeded",
    "unsupported-content-encoding",
    "checksum-mismatch",
    "malformed-digest",
    "insufficient-storage",
    "storage-unavailable",
)
FINISHED = codes("audit-not-finished", "audit-failed", "audit-cancelled")
