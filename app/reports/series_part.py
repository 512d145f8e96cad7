"""A series of a report: its numbers, and where they are in the audit's results."""

from collections.abc import Iterable

from pydantic import PrivateAttr
from typing_extensions import TypedDict

from app.domain.audits.subjects import leads, model_of
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import of_several
from app.domain.results.performance import Performance
from app.domain.results.subjects import AuditedModel
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy
from app.reports.part import AsItIs, Part


class Total(TypedDict, total=False):
    """The macro total of one measure's view of a series; what it was not made of is left out.

    ``spread`` is how much the runs differ, ``min`` and ``max`` the lowest and the highest of them.
    """

    measure: str
    view: str
    mean: float | None
    ci95_low: float | None
    ci95_high: float | None
    n: int
    n_undefined: int
    spread: float | None
    min: float
    max: float


class Series(Part):
    """A model, or the runs of one recipe as the mean over them.

    ``totals`` are macro totals with their intervals. The audit's results document travels with the job, once for all
    series of the audit, which hands it out.
    """

    name: str
    audit_id: str
    model_ids: tuple[str, ...]
    totals: AsItIs[list[Total]]
    radar: dict[str, float | None]
    _document: ResultsDocument | None = PrivateAttr(None)

    @property
    def document(self) -> ResultsDocument | None:
        """The audit's results; None where it was deleted after it was compared."""
        return self._document

    def attach(self, document: ResultsDocument | None) -> None:
        self._document = document

    def total(self, measure: str, view: str) -> Total:
        """The row of a view; empty where it was not measured."""
        found = [row for row in self.totals if (row["measure"], row["view"]) == (measure, view)]
        return found[0] if found else Total()

    def has(self, measure: str) -> bool:
        """Whether it has any number of that measure."""
        return any(row["measure"] == measure and row["mean"] is not None for row in self.totals)

    @property
    def _models(self) -> list[AuditedModel]:
        return [] if self.document is None else self.document["models"]

    @property
    def _summaries(self) -> list[Summary]:
        return [] if self.document is None else self.document["summaries"]

    @property
    def holds_all_models(self) -> bool:
        ids = [model["model_id"] for model in self._models]
        return {key for key in ids if leads(key) or model_of(key) is None} <= {*self.model_ids}

    def model_names(self) -> list[str]:
        return self.names_of(self.model_ids)

    def names_of(self, ids: Iterable[str]) -> list[str]:
        names = {model["model_id"]: model["name"] for model in self._models}
        return [names[model_id] for model_id in ids if model_id in names]

    def summaries(self, measure: str, view: str, group_by: str = GroupBy.TOTAL, group: str = "macro") -> list[Summary]:
        """One row a model of the series; stability's is of all models together, so no single one of several has it."""
        wanted = {"measure": measure, "view": view, "group_by": group_by, "group": group}
        owners = {*self.model_ids, *([None] if self.holds_all_models else [])}
        return [row for row in self._summaries if wanted.items() <= row.items() and row["model_id"] in owners]

    def says_nothing(self, measure: str, view: str, group_by: str = GroupBy.TOTAL, group: str = "macro") -> list[str]:
        """Why the series' number does not count; of several models, what holds for half of them."""
        return of_several(self.summaries(measure, view, group_by, group))

    def groups(self) -> list[tuple[str, str]]:
        """Every label and source, as the summaries name them."""
        found = dict.fromkeys((row["group_by"], row["group"]) for row in self._summaries)
        return [(group_by, group) for group_by, group in found if group_by != GroupBy.TOTAL]

    def performance(self, condition: str) -> list[Performance]:
        """One row a model."""
        rows = [] if self.document is None else self.document["performance"]
        return [row for row in rows if row["condition"] == condition and row["model_id"] in self.model_ids]
