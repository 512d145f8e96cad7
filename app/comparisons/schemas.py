"""A comparison as it is asked for and shown."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.domain.vocabulary import ComparisonStatus, ComparisonUnit
from app.http.schemas import Name, StoredProblem

ComparisonId = Annotated[UUID, Path(description="The `id` that `POST /v1/comparisons` answered.")]

MAX_SIDES = 10


class ComparisonRequest(BaseModel):
    """Audits of the same samples under the same protocol."""

    model_config = ConfigDict(extra="forbid")

    audit_ids: list[UUID] = Field(min_length=1, max_length=MAX_SIDES)
    name: Name | None = None
    by: ComparisonUnit = Field(
        ComparisonUnit.AUDIT,
        description="`audit`: each audit is a side, as the mean of its models' scores, sample by sample."
        " `model`: every model of the audits is a side; one audit of several models will do.",
    )

    @field_validator("audit_ids")
    @classmethod
    def distinct(cls, value: list[UUID]) -> list[UUID]:
        if len(set(value)) != len(value):
            raise ValueError("audit ids must be distinct")
        return value


class ComparisonSummary(BaseModel):
    """A comparison without its tables."""

    id: UUID
    name: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    by: ComparisonUnit
    status: ComparisonStatus
    audit_ids: list[UUID]
    problem: StoredProblem | None
    created_at: datetime
    finished_at: datetime | None
    report_url: str = Field(description="A page for people, once the comparison has `succeeded`.")


class Side(BaseModel):
    """An audit or a model, its radar and its macro totals."""

    audit_id: UUID
    audit_name: str | None
    models: list[dict[str, Any]]
    across_models: list[dict[str, Any]] = Field(description="Spread over the models, as in the audit's results.")
    radar: dict[str, float | None] = Field(
        description="Five axes in [0, 1], higher is better; null where the audit does not measure it.",
        examples=[{"entropy": 0.12, "noise_reaction": 0.56, "geometric_resilience": 0.8, "stability": None}],
    )
    totals: list[dict[str, Any]]


class DifferenceRow(BaseModel):
    """Second side minus first, over the samples that both scored. Tests are of the macro totals only."""

    first: int = Field(description="Place in `sides`.")
    second: int
    measure: str
    view: str
    group_by: str
    group: str
    n: int
    n_undefined: int
    mean_first: float | None
    mean_second: float | None
    difference: float | None
    ci95_low: float | None = Field(description="Null too where the samples are too few for an interval.")
    ci95_high: float | None
    p_value: float | None = None
    p_method: str | None = Field(None, description="`exact`, `monte-carlo` or `normal`.")
    p_holm: float | None = Field(None, description="Corrected for all tests of the comparison.")
    favours: int | None = Field(None, description="The better side, where `p_holm` is under `alpha`.")


class DifferingSamples(BaseModel):
    """The samples in which two sides differ most, by a headline measure."""

    first: int
    second: int
    measure: str
    view: str
    samples: list[dict[str, Any]]


class ComparisonResults(BaseModel):
    """The tables of a comparison."""

    protocol_digest: str
    dataset_digest: str
    sample_count: int
    statistics: dict[str, Any] = Field(description="Interval, seed, test, correction and the size of its family.")
    sides: list[Side]
    radar: dict[str, str] = Field(description="How each axis is made of the measures.")
    differences: list[DifferenceRow]
    most_different_samples: list[DifferingSamples]


class Comparison(ComparisonSummary):
    """A comparison; `results` null until it has `succeeded`."""

    results: ComparisonResults | None
