"""Judges an audit's numbers by the conditions of a gate. A verdict is about the model, never about the job."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.gates.conditions import Against, Condition, Limit, NotWorse, Quantity, Relation, Threshold
from app.domain.gates.explanations import explanation, figure, name_of, still_not_worse
from app.domain.gates.measured import FEW, Measured, Numbers
from app.domain.gates.stored import JudgedCondition, Outcome, Severity, StoredVerdict
from app.domain.results.meaning import reason

_GRAVITY = {Outcome.PASSED: 0, Outcome.INCONCLUSIVE: 1, Outcome.FAILED: 2}


@dataclass(frozen=True)
class _Judged:
    """``slack`` is the distance to the limit, negative beyond it."""

    outcome: Outcome
    slack: float
    measured: Measured
    words: str


def judge(conditions: Sequence[Condition], numbers: Numbers) -> StoredVerdict:
    """The verdict, and every condition with its number, limit, outcome and the words why."""
    judged = [_condition(condition, numbers) for condition in conditions]
    binding = [Outcome(row["outcome"]) for row in judged if row["severity"] == Severity.FAIL]
    warned = sum(row["severity"] == Severity.WARN and row["outcome"] != Outcome.PASSED for row in judged)
    verdict = max(binding, key=_GRAVITY.__getitem__, default=Outcome.PASSED)
    return {"verdict": verdict, "warnings": warned, "conditions": judged}


def _condition(condition: Condition, numbers: Numbers) -> JudgedCondition:
    quantity, limit = condition.quantity, condition.limit
    of_two = not isinstance(limit, Threshold)
    found = _found(condition, numbers)
    # Of several groups or models, the worst speaks for all.
    judged = max((_one(condition, one) for one in found), key=lambda one: (_GRAVITY[one.outcome], -one.slack))
    measured = judged.measured
    return {
        "condition": str(condition),
        "severity": Severity.WARN if condition.warn else Severity.FAIL,
        "outcome": judged.outcome,
        "subject": measured.subject,
        "value": measured.audit_value if of_two else measured.value,
        "baseline_value": measured.baseline_value if isinstance(limit, NotWorse) else None,
        "difference": measured.value if of_two else None,
        "ci95_low": measured.low,
        "ci95_high": measured.high,
        "threshold": _threshold(quantity, limit, measured),
        "says_nothing": list(measured.says_nothing),
        "explanation": judged.words,
    }


def _found(condition: Condition, numbers: Numbers) -> Sequence[Measured]:
    match condition.limit:
        case Threshold():
            return numbers.values(condition.quantity)
        case NotWorse():
            return numbers.differences(condition.quantity)
        case Against(quantity=other):
            return numbers.apart(condition.quantity, other)


def _threshold(quantity: Quantity, limit: Limit, measured: Measured) -> float | None:
    """Of a baseline, the largest difference, or the smallest, that is still not worse; else the other number."""
    if isinstance(limit, Threshold):
        return limit.value
    if isinstance(limit, Against):
        return measured.baseline_value
    return still_not_worse(quantity, limit)


def _one(condition: Condition, measured: Measured) -> _Judged:
    ends = (measured.low, measured.high) if condition.interval else (measured.value, measured.value)
    if condition.meaningful and measured.says_nothing and measured.value is not None:
        return _silent(condition, measured)
    if measured.value is None or ends[0] is None or ends[1] is None:
        return _missing(condition, measured)
    held = [_holds(condition, end) for end in (ends[0], ends[1])]
    outcome = Outcome.PASSED if all(held) else Outcome.INCONCLUSIVE if any(held) else Outcome.FAILED
    slack = min(_slack(condition, ends[0]), _slack(condition, ends[1]))
    return _Judged(outcome, slack, measured, explanation(condition, measured, outcome))


def _missing(condition: Condition, measured: Measured) -> _Judged:
    """The number itself, or only the interval that the condition is about."""
    name, why = name_of(condition, measured), measured.note
    if isinstance(condition.limit, Against) and measured.audit_value is not None:
        name = str(condition.limit.quantity)
    if measured.value is not None:
        name, why = f"the interval of {name}", FEW
    return _without(condition, measured, f"{name} is missing: {why}")


def _silent(condition: Condition, measured: Measured) -> _Judged:
    """A condition that asks for meaningful numbers takes one that says nothing for missing."""
    found = f"{name_of(condition, measured)} is {figure(measured.value)}, but says nothing"
    return _without(condition, measured, f"{found}: {reason(measured.says_nothing)}")


def _without(condition: Condition, measured: Measured, words: str) -> _Judged:
    outcome = Outcome.PASSED if condition.missing_ok else Outcome.FAILED
    so = "which the condition allows" if condition.missing_ok else "which fails the condition"
    slack = math.inf if condition.missing_ok else -math.inf
    return _Judged(outcome, slack, measured, f"{words}; {so}.")


def _holds(condition: Condition, value: float) -> bool:
    limit = condition.limit
    if isinstance(limit, Threshold):
        return limit.relation.holds(value, limit.value)
    if isinstance(limit, Against):
        return limit.relation.holds(value, 0.0)
    return Relation.AT_MOST.holds(_harm(condition.quantity, value), limit.margin)


def _harm(quantity: Quantity, difference: float) -> float:
    return difference if quantity.lower_is_better else -difference


def _slack(condition: Condition, value: float) -> float:
    limit = condition.limit
    if isinstance(limit, NotWorse):
        return limit.margin - _harm(condition.quantity, value)
    threshold = limit.value if isinstance(limit, Threshold) else 0.0
    return threshold - value if limit.relation.startswith("<") else value - threshold
