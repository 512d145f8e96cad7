"""A policy as it is asked for and shown, and its dry run."""

import re
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.db.tables import PolicyRow, PolicyRunRow
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import RunStage
from app.hooks.events import OURS, VersionEvent
from app.hooks.schemas import HookOutcome
from app.http.schemas import Name
from app.policies.schedule import check_cron

PolicyId = Annotated[UUID, Path(description="The `id` that `POST /v1/policies` answered.")]
RunId = Annotated[UUID, Path(description="An `id` of `GET /v1/policies/{policy_id}/runs`.")]
Alias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,254}$")]
Glob = Annotated[str, Field(min_length=1, max_length=250)]
PREVIOUS = "previous"
ALIAS = "alias:"


def _of_three_kinds(value: str) -> str:
    if value == PREVIOUS or re.fullmatch(rf"{ALIAS}[A-Za-z0-9_.-]{{1,255}}", value):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("a baseline is alias:NAME, previous, or an audit's id") from None


Baseline = Annotated[str, AfterValidator(_of_three_kinds)]
Cron = Annotated[str, Field(max_length=100, examples=["0 3 * * 1"]), AfterValidator(check_cron)]
TagName = Annotated[str, Field(min_length=1, max_length=250, examples=["recipe"])]


class Match(BaseModel):
    """Which events it follows."""

    model_config = ConfigDict(extra="forbid")

    model: Glob = Field(description="A name, with `*`, `?` and `[abc]`.", examples=["faces-*"])
    events: list[VersionEvent] = Field(default=[VersionEvent.CREATED], min_length=1)
    tags: dict[str, Glob] = Field(default_factory=dict, max_length=20, description="That the event must tell of.")
    aliases: list[Glob] = Field(default_factory=list, max_length=20, description="Of alias events; empty: any.")


class WriteBack(BaseModel):
    """What the registry is told."""

    model_config = ConfigDict(extra="forbid")

    tags: bool = Field(True, description=f"`{OURS}verdict`, `{OURS}audit_id`, `{OURS}report_url` and the numbers.")
    alias_on_pass: Alias | None = Field(None, description="Moved to the version when its gate passes.")
    run: bool = Field(
        True, description="Of MLflow: the numbers as metrics and the report as a file, in the run that it came from."
    )
    pull_request: bool = Field(
        False, description="Of a Hub: one that adds verdict and numbers to the model card; the token must allow it."
    )


class PolicyRequest(BaseModel):
    """What follows from which events."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    connection_id: UUID
    match: Match
    dataset_id: UUID
    protocol: ProtocolRequest = Field(default_factory=ProtocolRequest)
    sample_limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    gate: UUID | None = Field(None, description="The gate that judges the audits.")
    baseline: Baseline | None = Field(
        None,
        description="What the gate compares with: `alias:champion`, `previous`, or an audit's id. Where there is none "
        "yet, the audit runs without the gate.",
        examples=["alias:champion"],
    )
    run_group_tag: TagName | None = Field(
        None,
        description="A tag of the versions that names their recipe: from the second of a recipe on, an audit is of the "
        "run group of its newest versions, ten at most, and stability is measured.",
    )
    write_back: WriteBack = Field(default_factory=WriteBack)
    schedule: Cron | None = Field(
        None,
        description="Five fields of cron, in UTC: at those times, an hour apart or more, the newest version of each "
        "model that the policy met is audited again.",
    )


_OPTIONAL = frozenset({"sample_limit", "gate", "baseline", "run_group_tag", "schedule"})


class PolicyChange(BaseModel):
    """What is named is changed; `sample_limit`, `gate`, `baseline`, `run_group_tag` and `schedule` may be taken away by
    null."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    match: Match | None = None
    dataset_id: UUID | None = None
    protocol: ProtocolRequest | None = None
    sample_limit: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    gate: UUID | None = None
    baseline: Baseline | None = None
    run_group_tag: TagName | None = None
    write_back: WriteBack | None = None
    schedule: Cron | None = None

    @model_validator(mode="after")
    def something(self) -> Self:
        named = self.model_fields_set
        if not named:
            raise ValueError("name at least one field to change")
        if any(getattr(self, field) is None for field in named - _OPTIONAL):
            raise ValueError(f"only {', '.join(sorted(_OPTIONAL))} can be null")
        return self


class Policy(PolicyRequest):
    """A policy."""

    id: UUID
    recurs_at: datetime | None = Field(description="When it audits again, by its schedule.")
    created_at: datetime

    @classmethod
    def of(cls, row: PolicyRow) -> Self:
        told: dict[str, Any] = row.definition
        stored = {name: getattr(row, name) for name in ("id", "name", "connection_id", "recurs_at", "created_at")}
        return cls(**stored, **told)

    @property
    def tag(self) -> str:
        """Of the models, audits and run groups that follow from it."""
        return f"policy:{self.name}"[:100]


class DryRunRequest(BaseModel):
    """A delivery that arrived."""

    model_config = ConfigDict(extra="forbid")

    hook_id: UUID
    delivery_id: UUID


class DryRun(BaseModel):
    """What would follow, without anything being started."""

    matches: bool
    reason: str = Field(description="Why not; or what would be done.")
    model: str | None = None
    version: str | None = None


class PolicyRun(BaseModel):
    """One version that the policy met, whether an event told of it or its registry was asked."""

    id: UUID
    model: str
    version: str
    registered_at: datetime | None = Field(
        description="When the registry had it made, or it was first seen where that does not say: versions are in this "
        "order. Null until the registry was asked."
    )
    stage: RunStage = Field(
        description="`writing` tags, `moving` the alias, `logging` into the run that the version came from."
    )
    reason: str | None = Field(description="What it waits for; at its end what was written back, and what was not.")
    outcome: HookOutcome | None = Field(
        description="What its events came to; an audit by the schedule, later, changes only `stage`."
    )
    model_id: UUID | None
    audit_id: UUID | None = Field(description="The newest.")
    hook_id: UUID | None = Field(description="Whose event told of it first; null where the registry was asked.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: PolicyRunRow) -> Self:
        same = ("id", "version", "registered_at", "stage", "reason", "outcome", "model_id", "audit_id", "hook_id")
        told: dict[str, Any] = {name: getattr(row, name) for name in (*same, "created_at", "updated_at")}
        return cls(model=row.model_name, **told)
