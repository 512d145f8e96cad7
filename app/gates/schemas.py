"""A gate as it is asked for and shown, and the verdict that it gives."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from app.domain.gates.conditions import PERFORMANCE
from app.domain.gates.parser import MAX_CHARACTERS, parse_condition
from app.domain.gates.stored import Outcome, Severity
from app.http.schemas import Metadata, Name
from app.naming.schemas import VERSION, Tags, Text

GateId = Annotated[UUID, Path(description="The `id` that `POST /v1/gates` answered.")]

EXAMPLES = [
    "entropy.spatial.mean <= 0.85",
    "stability.mean >= 0.8 (missing ok)",
    "geometric_resilience.shifts[worst source].ci95_low >= 0.5 (warn)",
    "noise_reaction.mean not worse than baseline by more than 0.02 (ci)",
]


def _canonical(text: str) -> str:
    """As it is stored and shown: ConditionError is a ValueError, so pydantic names the place in the list."""
    return str(parse_condition(text))


ConditionText = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_canonical)]


class GateRequest(BaseModel):
    """A name, and conditions in the language that `POST /v1/gates` describes."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["release"])
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    conditions: list[ConditionText] = Field(min_length=1, max_length=100, examples=[EXAMPLES])
    require: Literal["meaningful"] | None = Field(
        None, description="`meaningful`: every condition is marked so; a number that says nothing is then missing."
    )

    @field_validator("conditions")
    @classmethod
    def distinct(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("conditions must be distinct")
        return value

    @model_validator(mode="after")
    def meaningful(self) -> Self:
        if self.require == "meaningful":
            self.conditions = list(dict.fromkeys(map(as_meaningful, self.conditions)))
        return self


def as_meaningful(text: str) -> str:
    """The condition, marked (meaningful) where it is about a measure."""
    condition = parse_condition(text)
    return str(replace(condition, meaningful=condition.quantity.measure != PERFORMANCE))


class Gate(BaseModel):
    """A gate."""

    id: UUID
    name: str
    version: str | None = Field(description=VERSION)
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    aliases: list[str]
    conditions: list[str] = Field(description="In their canonical form.", examples=[EXAMPLES])
    digest: str = Field(description="Of the conditions, in order.", examples=["sha256:2c26b46b..."])
    created_at: datetime


class FrozenGate(BaseModel):
    """A gate as it was when an audit was asked for: what happens to the gate later changes nothing."""

    gate_id: UUID
    name: str
    conditions: list[str] = Field(examples=[EXAMPLES])
    digest: str
    baseline_audit_id: UUID | None


class ConditionOutcome(BaseModel):
    """One condition, judged."""

    condition: str = Field(examples=[EXAMPLES[0]])
    severity: Severity
    outcome: Outcome
    subject: str | None = Field(description="The group or model that is worst, where a condition asks for the worst.")
    value: float | None = Field(description="The audit's number; null where it is missing.", examples=[0.8712])
    baseline_value: float | None
    difference: float | None = Field(description="The audit's minus the baseline's.")
    ci95_low: float | None = Field(
        description="Of the value; of the difference, where there is a baseline. Null too where the samples are too "
        "few for an interval."
    )
    ci95_high: float | None
    threshold: float | None = Field(
        description="For the value, or for the difference from a baseline; null where it is a number that is missing.",
        examples=[0.85],
    )
    says_nothing: list[str] | None = Field(
        None,
        description="Why the number does not count, whatever the outcome; empty where it does. Null of audits that "
        "were judged before this was told.",
        examples=[["few-samples"]],
    )
    explanation: str


class AuditVerdict(BaseModel):
    """What an audit's gate says. It is about the models: the audit's `status` stays `succeeded`."""

    audit_id: UUID
    verdict: Outcome
    warnings: int = Field(description="Conditions marked (warn) that did not pass.")
    gate: FrozenGate
    conditions: list[ConditionOutcome]
    says_nothing: list[str] = Field(
        description="Headline numbers of the audit that do not count, whether or not a condition is about them.",
        examples=[["noise_reaction"]],
    )
