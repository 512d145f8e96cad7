"""A history as it is shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from app.domain.gates.stored import Outcome
from app.domain.vocabulary import ResourceStatus


class VersionAudit(BaseModel):
    """An audit that measures the version, alone or with others."""

    audit_id: UUID
    name: str | None
    finished_at: datetime
    dataset_id: UUID
    protocol_digest: str = Field(description="Numbers of different protocols, or data sets, do not compare.")
    verdict: Outcome | None = Field(description="Its gate's; null where it names none.")
    headline: dict[str, float | None] = Field(
        description="The macro means that lead each measure: `entropy`, `degradation.salience_removed`.",
        examples=[{"entropy": 0.82, "noise_reaction": 0.61}],
    )
    says_nothing: list[str] = Field(description="Those of them that do not count.")


class ModelVersion(BaseModel):
    """One version of the name."""

    version: str | None
    model_id: UUID
    status: ResourceStatus
    created_at: datetime
    registered_at: datetime | None = Field(
        description="When its registry had it made: versions are in this order, those without it by `created_at`."
    )
    audits: list[VersionAudit]


class FoundRegression(BaseModel):
    """A headline number that is worse than that of the version before: the same samples, in pairs, corrected."""

    version: str | None
    before_version: str | None
    model_id: UUID
    before_model_id: UUID
    audit_id: UUID
    before_audit_id: UUID
    comparison_id: UUID = Field(description="Where all its tests are.")
    number: str = Field(description="As in `headline`.")
    measure: str
    view: str
    before: float | None
    after: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    p_holm: float | None = Field(description="Corrected for all tests of the comparison.")
    n: int


class ModelHistory(BaseModel):
    """The versions of a name, the oldest first."""

    name: str
    versions: list[ModelVersion]
    regressions: list[FoundRegression]
    pending: list[UUID] = Field(description="Audits whose comparison with the version before is still being computed.")
