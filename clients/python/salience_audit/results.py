"""Results and comparisons as notebooks show them: what to know first, then the macro means."""

from collections.abc import Iterable
from typing import Any, TypeVar

from salience_audit.documents import AuditedModel, Comparison, DifferenceRow, Performance, ResultsDocument, Summary
from salience_audit.shown import rows_table

FINDINGS = ("level", "code", "text")
MEASURES = ("measure", "view", "model", "mean", "ci95_low", "ci95_high", "control_mean", "skill", "n", "says_nothing")
PERFORMANCE = ("condition", "model", "accuracy", "auroc")
DIFFERENCES = ("measure", "view", "first", "second", "difference", "ci95_low", "ci95_high", "p_holm", "favours")

Row = TypeVar("Row", Summary, DifferenceRow)


class Results(ResultsDocument):
    """An audit's results."""

    def totals(self) -> list[Summary]:
        """Over all samples, every source alike: a row for each model, measure and view."""
        return _totals(self.summaries)

    def _repr_html_(self) -> str:
        names = {_owner(model): model.name for model in self.models}
        measures = [row | {"model": names.get(_owner(row), "across subjects")} for row in self.totals()]
        performance = [row | {"model": names[_owner(row)]} for row in self.performance]
        return "\n".join(
            [
                rows_table("What to know first", self.findings or [], FINDINGS),
                rows_table("Measures", measures, MEASURES),
                rows_table("Performance", performance, PERFORMANCE),
            ]
        )


class Compared(Comparison):
    """A comparison."""

    def totals(self) -> list[DifferenceRow]:
        """Second side minus first over all samples, every source alike; none before it has succeeded."""
        return [] if self.results is None else _totals(self.results.differences)

    def _repr_html_(self) -> str:
        if self.results is None:
            return super()._repr_html_()
        sides = [_side(side.audit_name, (model["name"] for model in side.models)) for side in self.results.sides]
        rows = [row | {name: _of(sides, row[name]) for name in ("first", "second", "favours")} for row in self.totals()]
        return rows_table(f"Comparison {self.name or self.id}", rows, DIFFERENCES)


def _owner(row: AuditedModel | Summary | Performance) -> str | None:
    """The subject; in results of earlier versions the model."""
    return row.subject or row.model_id


def _totals(rows: list[Row]) -> list[Row]:
    return [row for row in rows if (row.group_by, row.group) == ("total", "macro")]


def _side(audit_name: str | None, models: Iterable[str]) -> str:
    return audit_name or ", ".join(models)


def _of(sides: list[str], place: Any) -> str | None:
    return None if place is None else sides[place]
