"""A comparison as it is asked for and shown."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.domain.results.comparisons import ComparisonResults
from app.domain.vocabulary import ComparisonUnit, OwedStatus
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
    status: OwedStatus
    audit_ids: list[UUID]
    model_ids: list[UUID] | None = Field(
        None,
        description="Of comparisons of two versions, which the service makes itself: each side is this model of the "
        "audit in the same place. Null: all models of the audits.",
    )
    problem: StoredProblem | None
    created_at: datetime
    finished_at: datetime | None
    report_url: str = Field(description="A page for people, once the comparison has `succeeded`.")


class Comparison(ComparisonSummary):
    """A comparison; `results` null until it has `succeeded`."""

    results: ComparisonResults | None
