"""What a report is made of, as it goes from the API to the process that draws it."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import TypedDict

from app.domain.audits.subjects import noun_of
from app.domain.gates.stored import StoredGate, StoredVerdict
from app.domain.measures import spec_of
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.reports.part import AsItIs, Part
from app.reports.pictures import EvidenceRow, Gallery, MeanImage
from app.reports.series_part import Series


class Baseline(TypedDict):
    """The audit that a gate compared with."""

    id: str
    name: str


class JudgedAudit(StoredVerdict):
    """A verdict, and what it is of."""

    subject: str
    gate: StoredGate
    baseline: Baseline | None


class Undefined(Part):
    """Scores that could not be made: how many, why, and the first few samples."""

    model: str
    measure: str
    view: str
    reason: str
    count: int
    samples: list[str]


class AuditFacts(Part):
    """What an audit's results do not say about how it was made; ``layers`` are the models' target layers.

    ``description`` is its owner's; ``notes`` are what to know before the numbers are read.
    """

    name: str
    device_class: str
    finished_at: str | None
    layers: dict[str, str]
    replanned: str | None = None
    description: str | None = None
    notes: list[str] = Field(default_factory=list)


class ReportJob(Part):
    """One report."""

    kind: Literal["audit", "comparison"]
    identity: str
    title: str
    dataset: str
    dataset_notes: list[str] = Field(default_factory=list)
    """Its description, and how its archive was taken."""
    dataset_digest: str | None
    sample_count: int
    protocol: dict[str, Any]
    protocol_digest: str
    finished_at: str | None
    all_series: list[Series]
    together: Series | None
    """All models of an audit whose series are single models: stability is theirs alone."""
    documents: AsItIs[dict[str, ResultsDocument]] = Field(repr=False)
    """Results by audit."""
    audits: dict[str, AuditFacts] = Field(default_factory=dict)
    verdicts: AsItIs[list[JudgedAudit]]
    comparison: AsItIs[ComparisonResults | None]
    gallery: Gallery
    mean_images: dict[str, list[MeanImage]] = Field(default_factory=dict)
    """By the name of the series; of several runs, those of the first."""
    evidence: dict[str, list[EvidenceRow]] = Field(default_factory=dict)
    """Of the series that findings expose, by name; of several runs, those of the first that is exposed."""
    undefined: list[Undefined] | None
    """None where the scores are gone, so that nobody knows."""

    @model_validator(mode="after")
    def _hand_out(self) -> Self:
        for series in (*self.all_series, *([self.together] if self.together else [])):
            series.attach(self.documents.get(series.audit_id))
        return self

    @property
    def resolved(self) -> Protocol:
        return Protocol.model_validate(self.protocol)

    @property
    def measured(self) -> list[Series]:
        """The series whose audits are still there."""
        return [series for series in self.all_series if series.document is not None]

    def series_of(self, measure: str) -> list[Series]:
        """Whose numbers a measure's section shows."""
        of_pairs = self.together is not None and spec_of(measure).is_pairing and self.together.has(measure)
        return [self.together] if self.together and of_pairs else self.all_series

    def measured_of(self, measure: str) -> list[Series]:
        """Those of them whose audits are still there."""
        return [series for series in self.series_of(measure) if series.document is not None]

    def is_of_single_models(self, measure: str) -> bool:
        """A pairing compares several runs; a report whose series are single models has none to show."""
        if not spec_of(measure).is_pairing or self.together is not None:
            return False
        return all(len(series.model_ids) == 1 and not series.has(measure) for series in self.all_series)

    @property
    def noun(self) -> str:
        """What stands side by side: a model or, where there is none, a map set."""
        return noun_of(key for series in self.all_series for key in series.model_ids)

    @property
    def left_out(self) -> int:
        """Models of an audit for which there was no room."""
        shown = {model_id for series in self.all_series for model_id in series.model_ids}
        audited = {model["model_id"] for document in self.documents.values() for model in document["models"]}
        return len(audited - shown) if self.kind == "audit" else 0

    def groups(self) -> list[tuple[str, str]]:
        """Every label and source, as the summaries name them."""
        return self.measured[0].groups() if self.measured else []
