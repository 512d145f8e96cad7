"""What a condition says of its number, in a sentence that a reader can check by hand."""

from app.domain.gates.conditions import Against, Condition, NotWorse, Quantity, Threshold, shortest
from app.domain.gates.measured import Measured
from app.domain.gates.stored import Outcome
from app.domain.results.meaning import reason


def still_not_worse(quantity: Quantity, limit: NotWorse) -> float:
    return limit.margin if quantity.lower_is_better else -limit.margin + 0.0


def name_of(condition: Condition, measured: Measured) -> str:
    return str(condition.quantity) + (f" ({measured.subject})" if measured.subject else "")


def explanation(condition: Condition, measured: Measured, outcome: Outcome) -> str:
    """One sentence a reader can check by hand; another where the number does not count."""
    limit, name = condition.limit, name_of(condition, measured)
    if isinstance(limit, Threshold):
        found, allowed = f"{name} is {figure(measured.value)}", f"{limit.relation} {shortest(limit.value)}"
    elif isinstance(limit, Against):
        found = f"{name} is {figure(measured.audit_value)}"
        allowed = f"{limit.relation} {limit.quantity}, which is {figure(measured.baseline_value)}"
    else:
        compared = f"{figure(measured.audit_value)} against the baseline's {figure(measured.baseline_value)}"
        found = f"{name} is {compared}, a difference of {figure(measured.value)}"
        sign = "<=" if condition.quantity.lower_is_better else ">="
        allowed = f"{sign} {shortest(still_not_worse(condition.quantity, limit))}"
    interval = f", 95% interval {figure(measured.low)} to {figure(measured.high)}" if condition.interval else ""
    says = {
        Outcome.PASSED: f"this is {allowed}",
        Outcome.FAILED: f"this is not {allowed}",
        Outcome.INCONCLUSIVE: f"the interval straddles the limit {allowed}",
    }
    note = f" ({measured.compared})" if measured.compared else ""
    silent = f" The number says nothing: {reason(measured.says_nothing)}." if measured.says_nothing else ""
    return f"{found}{interval}; {says[outcome]}{note}.{silent}"


def figure(value: float | None) -> str:
    return "missing" if value is None else f"{value:.6g}"
