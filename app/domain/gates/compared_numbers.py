"""Finds the numbers that a gate's conditions name, in an audit and against a baseline's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.gates.audit_numbers import AuditNumbers, selects, view_of
from app.domain.gates.conditions import PERFORMANCE, Quantity, Scope, Selector
from app.domain.gates.measured import Measured
from app.domain.results.comparisons import DifferenceRow

_TOTAL = Selector()
_NOT_IN_BASELINE = "the baseline audit has no such number"
AGGREGATE = ""
"""The subject that stands for all models of an audit together."""


def _of_either(*sides: Measured | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for side in sides if side is not None for code in side.says_nothing))


class ComparedRow(DifferenceRow):
    """A difference, audit minus baseline; ``subject`` says of what: AGGREGATE or a model's id."""

    subject: str


@dataclass(frozen=True)
class GateNumbers:
    """An audit's numbers beside its baseline's.

    ``note`` says how they were compared, or why there is no baseline. ``other_views`` are columns, by measure and view,
    that the two sides make of other views: they compare in their means, which can be made anew.
    """

    audit: AuditNumbers
    baseline: AuditNumbers | None
    compared: Sequence[ComparedRow]
    note: str
    other_views: frozenset[tuple[str, str]] = frozenset()

    def values(self, quantity: Quantity) -> list[Measured]:
        return self.audit.values(quantity)

    def differences(self, quantity: Quantity) -> list[Measured]:
        """Of means over the same samples, the mean difference; of other statistics, the difference of two numbers."""
        if self.baseline is None:
            return [Measured(None, note=self.note)]
        if quantity.statistic == "mean" and quantity.measure != PERFORMANCE:
            return self._of_means(quantity)
        if (quantity.measure, view_of(quantity, self.audit.protocol)) in self.other_views:
            return [Measured(None, note=self.note)]
        theirs = self._theirs(quantity)
        return [self._difference(own, theirs) for own in self.audit.values(quantity)]

    def apart(self, quantity: Quantity, other: Quantity) -> list[Measured]:
        """A group or model meets its own number, or the one that stands for all."""
        others = self.audit.values(other)
        missing = next((one.note for one in others if one.value is None), "")
        return [
            replace(found, note=missing if own.value is not None else own.note) if found.value is None else found
            for own in self.audit.values(quantity)
            for found in [self._difference(own, others)]
        ]

    def _theirs(self, quantity: Quantity) -> list[Measured]:
        """A model has no counterpart in the baseline: it meets the mean over the baseline's models."""
        if self.baseline is None:
            return []
        if quantity.selector.scope is not Scope.WORST_MODEL:
            return self.baseline.values(quantity)
        return self.baseline.values(Quantity(quantity.measure, quantity.view, _TOTAL, quantity.statistic))

    @staticmethod
    def _difference(own: Measured, theirs: list[Measured]) -> Measured:
        """Of the same group; a model meets the one number that stands for the baseline."""
        other = next((one for one in theirs if one.subject in {own.subject, None}), None)
        if own.value is None or other is None or other.value is None:
            note = own.note if own.value is None else _NOT_IN_BASELINE
            return Measured(None, subject=own.subject, audit_value=own.value, note=note)
        return Measured(
            own.value - other.value,
            subject=own.subject,
            audit_value=own.value,
            baseline_value=other.value,
            says_nothing=_of_either(own, other),
        )

    def _of_means(self, quantity: Quantity) -> list[Measured]:
        scope = quantity.selector.scope
        view = view_of(quantity, self.audit.protocol)
        found = [
            self._compared(quantity, row, self.audit.subject(row, scope, row["subject"]))
            for row in self.compared
            if (row["measure"], row["view"]) == (quantity.measure, view)
            and (row["subject"] != AGGREGATE) == (scope is Scope.WORST_MODEL)
            and selects(quantity, row)
        ]
        return found + self._without_baseline(quantity, {measured.subject for measured in found})

    def _compared(self, quantity: Quantity, row: DifferenceRow, subject: str | None) -> Measured:
        return Measured(
            row["difference"],
            row["ci95_low"],
            row["ci95_high"],
            subject,
            audit_value=row["mean_second"],
            baseline_value=row["mean_first"],
            note="no sample is defined in both audits",
            compared=self.note,
            says_nothing=self._silences(quantity, subject),
        )

    def _silences(self, quantity: Quantity, subject: str | None) -> tuple[str, ...]:
        """Of the audit's number, and of the baseline's that it is compared with."""
        own = next((one for one in self.audit.values(quantity) if one.subject == subject), None)
        theirs = next((one for one in self._theirs(quantity) if one.subject in {subject, None}), None)
        return _of_either(own, theirs)

    def _without_baseline(self, quantity: Quantity, found: set[str | None]) -> list[Measured]:
        """A group that only the audit has is missing: it must not pass unseen."""
        return [
            Measured(None, subject=own.subject, audit_value=own.value, note=_NOT_IN_BASELINE)
            for own in self.audit.values(quantity)
            if own.subject not in found
        ]
