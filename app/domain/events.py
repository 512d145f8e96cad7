"""What is told to those who asked to hear of it: thin messages with ids, verdict, headline numbers and links.

A body is ``{"type", "timestamp", "data"}`` (Standard Webhooks 1.0) and has far less than its 20 kB.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

MAX_LISTED = 10
MAX_TEXT = 500
MAX_CONDITION = 200
"""Characters of a detail, and of a condition; the whole is behind the link."""


class EventType(StrEnum):
    """Of what one can hear."""

    AUDIT_SUCCEEDED = "audit.succeeded"
    AUDIT_FAILED = "audit.failed"
    AUDIT_CANCELLED = "audit.cancelled"
    GATE_PASSED = "gate.passed"
    GATE_FAILED = "gate.failed"
    GATE_INCONCLUSIVE = "gate.inconclusive"
    REGRESSION_FOUND = "regression.found"
    MODEL_READY = "model.ready"
    MODEL_REJECTED = "model.rejected"
    DATASET_READY = "dataset.ready"
    DATASET_REJECTED = "dataset.rejected"
    HOOK_FAILING = "hook.failing"


TEST = "webhook.test"
"""What a test delivers; nobody asks for it by name."""


@dataclass(frozen=True)
class Event:
    """Something happened to a subject: what is told of one subject is told in its order."""

    type: str
    subject_id: UUID
    data: dict[str, Any]

    def body(self, happened_at: datetime) -> dict[str, Any]:
        """``timestamp`` is when it happened, not when it is told."""
        return {"type": self.type, "timestamp": happened_at.isoformat(), "data": self.data}


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """One that fits a message."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def told_problem(problem: dict[str, Any] | None) -> dict[str, str] | None:
    """Code and detail of a stored problem."""
    return problem and {"code": problem["code"], "detail": shortened(problem["detail"])}
