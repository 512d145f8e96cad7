"""Finds the numbers that a gate's conditions name in an audit's summaries."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from app.domain.audits.subjects import leads
from app.domain.gates.conditions import FINDINGS, PERFORMANCE, Quantity, Scope
from app.domain.gates.measured import FEW, Measured
from app.domain.protocol import Protocol
from app.domain.results.comparisons import DifferenceRow
from app.domain.results.documents import ResultsDocument
from app.domain.results.radar import headline_views
from app.domain.results.summaries import Summary
from app.domain.vocabulary import CLEAN, GroupBy

INTERVAL = ("ci95_low", "ci95_high")
MEANS_OVER_MODELS: tuple[Literal["control_mean", "flip_rate"], ...] = ("control_mean", "flip_rate")

_GROUP_OF = {
    Scope.LABEL: GroupBy.LABEL,
    Scope.SOURCE: GroupBy.SOURCE,
    Scope.WORST_LABEL: GroupBy.LABEL,
    Scope.WORST_SOURCE: GroupBy.SOURCE,
}
_NONE = "no sample of it has both a label and a finite output, or AUROC lacks a class"


@dataclass(frozen=True)
class AuditNumbers:
    """The results of one audit.

    ``aggregate`` holds summaries of the samples' mean scores over the audit's models, and stability's; with one model
    they are the model's own.
    """

    document: ResultsDocument
    aggregate: Sequence[Summary]

    @property
    def protocol(self) -> Protocol:
        return Protocol.model_validate(self.document["protocol"])

    def _model(self, model_id: str | None) -> str:
        names = [model["name"] for model in self.document["models"] if model["model_id"] == model_id]
        return f"model {names[0]}"

    def values(self, quantity: Quantity) -> list[Measured]:
        """At least one; several for the worst of several."""
        view = view_of(quantity, self.protocol)
        if quantity.measure == PERFORMANCE:
            return self._performance(quantity, view)
        if quantity.measure == FINDINGS:
            level = quantity.statistic.replace("_", "-")
            return [Measured(float(sum(finding["level"] == level for finding in self.document["findings"])))]
        scope = quantity.selector.scope
        rows = self._of_models() if scope is Scope.WORST_MODEL else self.aggregate
        found = [
            Measured(
                self._statistic(row, quantity.statistic),
                row["ci95_low"] if quantity.statistic == "mean" else None,
                row["ci95_high"] if quantity.statistic == "mean" else None,
                self.subject(row, scope, row["model_id"]),
                note=_why_none(row, quantity.statistic),
                says_nothing=tuple(row["says_nothing"]),
            )
            for row in rows
            if (row["measure"], row["view"]) == (quantity.measure, view) and selects(quantity, row)
        ]
        return found or [Measured(None, note=self._why_missing(quantity, view))]

    def _why_missing(self, quantity: Quantity, view: str) -> str:
        if quantity.measure not in self.protocol.measures.names:
            return f"the protocol does not compute {quantity.measure}"
        return f"the audit has no {quantity.measure}.{view}{quantity.selector}"

    def _statistic(self, row: Summary, statistic: str) -> float | None:
        """A control and a flip rate are means over models, as they are not scores."""
        averaged = next((name for name in MEANS_OVER_MODELS if name == statistic), None)
        if averaged is None or row["model_id"] is not None:
            return cast("float | None", row.get(statistic))
        found = [other[averaged] for other in self._of_models() if about(other) == about(row)]
        # Of a pairing there is no row of any model: its own control stands in its row.
        return _mean([value for value in found if value is not None]) if found else row[averaged]

    def _of_models(self) -> list[Summary]:
        """Under the leading method."""
        return [row for row in self.document["summaries"] if row["model_id"] is not None and leads(row["model_id"])]

    def subject(self, row: Summary | DifferenceRow, scope: Scope, model_id: str | None) -> str | None:
        """The words for the one of several that a row is about."""
        if scope is Scope.WORST_MODEL:
            return self._model(model_id)
        return f"{row['group_by']} {row['group']}" if scope in {Scope.WORST_LABEL, Scope.WORST_SOURCE} else None

    def _performance(self, quantity: Quantity, view: str) -> list[Measured]:
        """Of all models, their mean."""
        rows = [row for row in self.document["performance"] if row["condition"] == view and leads(row["model_id"])]
        if not rows:
            return [Measured(None, note=self.document["performance_reason"] or f"the audit has no {view} images")]
        if quantity.selector.scope is Scope.WORST_MODEL:
            return [
                Measured(
                    cast("float | None", row.get(quantity.statistic)), subject=self._model(row["model_id"]), note=_NONE
                )
                for row in rows
            ]
        values = [cast("float | None", row.get(quantity.statistic)) for row in rows]
        known = [value for value in values if value is not None]
        whole = _mean(known) if len(known) == len(values) else None
        return [Measured(whole, note=_NONE)]


def about(row: Summary) -> tuple[str, str, str, str]:
    """What a summary is of, beside its model: measure, view, and group of samples."""
    return row["measure"], row["view"], row["group_by"], row["group"]


def _why_none(row: Summary, statistic: str) -> str:
    if not row["n"]:
        return "no sample has a defined score"
    return FEW if statistic in INTERVAL else f"it has no {statistic}"


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def view_of(quantity: Quantity, protocol: Protocol) -> str:
    """The view that is named, or the measure's headline under this protocol."""
    if quantity.view is not None:
        return quantity.view
    if quantity.measure in {PERFORMANCE, FINDINGS}:
        return CLEAN
    headline = headline_views(protocol).get(quantity.measure, ())
    return headline[0] if len(headline) == 1 else "all"


def selects(quantity: Quantity, row: Summary | DifferenceRow) -> bool:
    """Whether a row of a group belongs to the quantity's selector."""
    scope, name = quantity.selector.scope, quantity.selector.name
    if scope in _GROUP_OF:
        return row["group_by"] == _GROUP_OF[scope] and name in {None, row["group"]}
    group = Scope.MICRO if scope is Scope.MICRO else Scope.MACRO
    return (row["group_by"], row["group"]) == (GroupBy.TOTAL, group)
