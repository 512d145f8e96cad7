"""An audit as it is asked for and shown."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.domain.gates.stored import Outcome
from app.domain.measures import MeasureName
from app.domain.measures.agreement import MOST_MAP_SETS
from app.domain.protocol import ProtocolRequest
from app.domain.samples.label_mapping import DESCRIPTION, LabelMap
from app.domain.vocabulary import AuditStatus, DeviceClass
from app.gates.schemas import ConditionOutcome, FrozenGate
from app.http.schemas import Metadata, Name, StoredProblem
from app.naming.schemas import Tags, Text

SampleId = Annotated[UUID, Path(description="A `sample_id` of `GET /v1/audits/{audit_id}/samples`.")]
AuditId = Annotated[UUID, Path(description="The `id` that `POST /v1/audits` answered.")]


class AuditRequest(BaseModel):
    """Which models to measure on which data set, and how."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: UUID
    model_ids: list[UUID] | None = Field(None, min_length=1, max_length=100)
    run_group_id: UUID | None = None
    map_set_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=MOST_MAP_SETS, description="Map sets of the data set, beside models or alone."
    )
    protocol: ProtocolRequest = Field(default_factory=ProtocolRequest)
    name: Name | None = None
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    device_class: DeviceClass | None = Field(
        None, description="Where it runs; null: on a GPU where a GPU worker is known, unless the operator chose."
    )
    sample_limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(
        None, description="That many samples by a seeded draw without replacement, the same for all models."
    )
    split: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="Only samples of this split; unset: all, training images among them."
    )
    stratify: Literal["label", "source"] | None = Field(
        None, description="Draw from each label, or each source, as many as its share of the samples."
    )
    label_map: LabelMap | None = Field(None, description=f"{DESCRIPTION} Or as the data set says.")
    group_by: list[str] | None = Field(
        None, max_length=8, description="Further columns of the manifest, or split, to group summaries by."
    )
    cluster: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None,
        description="The column of the manifest (person, video, scene) whose values intervals draw together; unset: "
        "the data set's cluster column, if it has one.",
    )

    gate_id: UUID | None = Field(None, description="The gate whose conditions, as they are now, judge this audit.")
    baseline_audit_id: UUID | None = Field(None, description="The audit that the gate's conditions compare with.")

    @field_validator("model_ids", "map_set_ids")
    @classmethod
    def distinct(cls, value: list[UUID] | None) -> list[UUID] | None:
        if value is not None and len(set(value)) != len(value):
            raise ValueError("ids must be distinct")
        return value

    @model_validator(mode="after")
    def one_of_two(self) -> Self:
        models = [one for one in (self.model_ids, self.run_group_id) if one is not None]
        if len(models) != 1 and (models or self.map_set_ids is None):
            raise ValueError("name either model_ids or run_group_id, or map_set_ids alone")
        if not models and self.gate_id is not None:
            raise ValueError("a gate judges models: name some beside the map sets")
        if self.baseline_audit_id is not None and self.gate_id is None:
            raise ValueError("a baseline_audit_id needs a gate_id that compares with it")
        return self


class Progress(BaseModel):
    """How far an audit got; a sample is done when all models and views are."""

    done: int
    total: int
    unit: Literal["samples"] = "samples"
    samples_per_second: float | None
    eta_seconds: float | None


class Replanned(BaseModel):
    """Why the resolved protocol is not quite the one that was asked for."""

    reason: Literal["out-of-gpu-memory"]
    micro_batch_before: int


class Audit(BaseModel):
    """An audit, its resolved protocol and its progress."""

    id: UUID
    name: str | None
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    status: AuditStatus
    dataset_id: UUID
    model_ids: list[UUID]
    map_set_ids: list[UUID]
    run_group_id: UUID | None
    protocol: dict[str, Any]
    protocol_digest: str
    device_class: DeviceClass
    replanned: Replanned | None = Field(description="Set where the audit started over with half the micro-batch.")
    sample_count: int
    split: str | None
    stratify: str | None
    label_map: LabelMap | None = Field(description="The audit's own, or that of the data set.")
    group_by: list[str] | None
    cluster: str | None = Field(description="The column whose values intervals draw together.")
    notes: list[str] = Field(
        description="What to know before the numbers are read; while it waits, whether anybody is there to run it."
    )
    progress: Progress
    problem: StoredProblem | None
    gate: FrozenGate | None
    verdict: Outcome | None = Field(description="What the gate says; null without a gate and before the end.")
    conditions: list[ConditionOutcome] | None = Field(description="The gate's conditions, judged.")
    results_url: str
    report_url: str = Field(description="A page for people, once the audit has `succeeded`.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    scores_removed_at: datetime | None = Field(None, description="By a retention setting; the results stay.")
    maps_removed_at: datetime | None = None


class SampleScore(BaseModel):
    """One number: a sample, a model (none for pairings and map sets), a measure's view."""

    sample: str
    sample_id: UUID
    label: str | None
    source: str | None
    model: str | None
    model_id: UUID | None
    subject: str | None = Field(description="As in the results: a model, one under a CAM method, or a map set.")
    measure: MeasureName
    view: str
    score: float | None
    control: float | None
    undefined_reason: str | None
    predicted_label: str | None


class SalienceMap(BaseModel):
    """A native salience map, row by row, in [0, 1]."""

    sample: str
    sample_id: UUID
    model_id: UUID | None = Field(description="Null of a map set.")
    subject: str = Field(description="As in the results: a model, a model under a CAM method, or a map set.")
    view: str
    height: int
    width: int
    values: list[list[float]]
    undefined_reason: str | None
    predicted_label: str | None
