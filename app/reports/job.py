"""What a report is made of, as it goes from the API to the process that draws it."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, PrivateAttr, model_validator
from typing_extensions import TypedDict

from app.domain.audits.subjects import leads, model_of, noun_of
from app.domain.gates.stored import StoredGate, StoredVerdict
from app.domain.measures import spec_of
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import of_several
from app.domain.results.performance import Performance
from app.domain.results.subjects import AuditedModel
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy

Base64 = Annotated[bytes, Field(repr=False)]
Document = TypeVar("Document")
AsItIs = Annotated[Document, GetPydanticSchema(lambda _source, handler: handler(Any))]
"""A document that was checked when it was made: checking millions of numbers again costs more than drawing them."""


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


class Baseline(TypedDict):
    """The audit that a gate compared with."""

    id: str
    name: str


class JudgedAudit(StoredVerdict):
    """A verdict, and what it is of."""

    subject: str
    gate: StoredGate
    baseline: Baseline | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class Series(_Part):
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


class Tile(_Part):
    """A picture of the gallery."""

    caption: str
    jpeg: Base64


class TileRow(_Part):
    """The maps of one series, its clean map first; the name is empty where there is one series only."""

    name: str
    tiles: list[Tile]


class GallerySample(_Part):
    """A sample of the gallery: its image, and its maps over the image. An unreadable image is None."""

    measure: str
    rank: str = ""
    title: str
    sample: str
    facts: str
    image: Tile | None
    rows: list[TileRow]
    printed: int = 0
    """So many maps of each row are on paper, which has room for few pictures that can be looked at."""

    @property
    def most_tiles(self) -> int:
        """In a row: for that many there should be room."""
        return max((len(row.tiles) for row in self.rows), default=1)


class Undefined(_Part):
    """Scores that could not be made: how many, why, and the first few samples."""

    model: str
    measure: str
    view: str
    reason: str
    count: int
    samples: list[str]


class Gallery(_Part):
    """``note`` says what is shown, or why nothing is; ``paper`` is what a comparison prints instead of it."""

    exhibits: list[GallerySample] = []
    paper: GallerySample | None = None
    note: str


class MeanImage(_Part):
    """The mean of ``n`` images that a model gives one class, a grey PNG; ``contrast`` in [0, 1] tells how alike they
    are laid out."""

    predicted: str
    n: int
    png: Base64
    contrast: float


class EvidenceRow(_Part):
    """Pictures that show one sign of a shortcut."""

    title: str
    note: str
    tiles: list[Tile]


class AuditFacts(_Part):
    """What an audit's results do not say about how it was made; ``layers`` are the models' target layers.

    ``description`` is its owner's; ``notes`` are what to know before the numbers are read.
    """

    name: str
    device_class: str
    finished_at: str | None
    layers: dict[str, str]
    replanned: str | None = None
    description: str | None = None
    notes: list[str] = []


class ReportJob(_Part):
    """One report."""

    kind: Literal["audit", "comparison"]
    identity: str
    title: str
    dataset: str
    dataset_notes: list[str] = []
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
    audits: dict[str, AuditFacts] = {}
    verdicts: AsItIs[list[JudgedAudit]]
    comparison: AsItIs[ComparisonResults | None]
    gallery: Gallery
    mean_images: dict[str, list[MeanImage]] = {}
    """By the name of the series; of several runs, those of the first."""
    evidence: dict[str, list[EvidenceRow]] = {}
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


Number = Literal["mean", "std", "p05", "p50", "p95", "control_mean", "flip_rate"]


def mean_of(rows: list[Summary], name: Number) -> float | None:
    """Over the models of a series."""
    return mean_of_defined(row[name] for row in rows)


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """None where none is."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
