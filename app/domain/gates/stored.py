"""A gate and its verdict as they are stored with an audit."""

from enum import StrEnum
from typing import NotRequired

from typing_extensions import TypedDict


class Outcome(StrEnum):
    """Of a condition, and of a gate: one failed condition fails it, else an inconclusive one leaves it open."""

    PASSED = "passed"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Severity(StrEnum):
    """Whether a condition can fail the gate."""

    FAIL = "fail"
    WARN = "warn"


class JudgedCondition(TypedDict):
    """A condition of a gate, its number, and what the condition says of it."""

    condition: str
    severity: Severity
    outcome: Outcome
    subject: str | None
    value: float | None
    baseline_value: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    threshold: float | None
    says_nothing: NotRequired[list[str]]
    """Why the number does not count; not there of verdicts that were stored before it was told."""
    explanation: str


class StoredGate(TypedDict):
    """A gate as it was when an audit was asked for."""

    gate_id: str
    name: str
    conditions: list[str]
    digest: str
    baseline_audit_id: str | None


class StoredVerdict(TypedDict):
    """What a gate says of an audit."""

    verdict: Outcome
    warnings: int
    conditions: list[JudgedCondition]
