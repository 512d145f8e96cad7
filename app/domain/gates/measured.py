"""What a gate measures of an audit, and where that comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.gates.conditions import Quantity

FEW = "too few samples for an interval (two of the group are needed; of one source, for the macro total)"


@dataclass(frozen=True)
class Measured:
    """A number, None where it is missing, with the 95% interval where there is one.

    ``subject`` names the group or model that it belongs to; ``audit_value`` and ``baseline_value`` are the two numbers
    behind a difference; ``note`` says why it is missing, ``compared`` how the difference was made. ``says_nothing`` are
    the reasons why it does not count (app.domain.results.meaning).
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    subject: str | None = None
    audit_value: float | None = None
    baseline_value: float | None = None
    note: str = ""
    compared: str = ""
    says_nothing: tuple[str, ...] = ()


class Numbers(Protocol):
    """Where the numbers of an audit come from; several where a selector names the worst of several."""

    def values(self, quantity: Quantity) -> Sequence[Measured]: ...

    def differences(self, quantity: Quantity) -> Sequence[Measured]:
        """The audit's minus the baseline's."""

    def apart(self, quantity: Quantity, other: Quantity) -> Sequence[Measured]:
        """A number of the audit minus another one of it, which stands in ``baseline_value``."""
