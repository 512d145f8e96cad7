"""A hook as it is asked for and shown, and what arrived there."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from app.db.tables import HookRow
from app.hooks.mapping import EventMapping
from app.http.schemas import Name

HookId = Annotated[UUID, Path(description="The `id` that `POST /v1/hooks` answered.")]
DeliveryId = Annotated[UUID, Path(description="The `delivery_id` that the registry was answered.")]


class HookKind(StrEnum):
    """The registries whose events are understood."""

    MLFLOW = "mlflow"
    HUGGINGFACE = "huggingface"
    OCI = "oci"
    CLOUDEVENTS = "cloudevents"
    GENERIC = "generic"


WITH_A_FORM = frozenset({HookKind.MLFLOW, HookKind.HUGGINGFACE, HookKind.OCI})
"""Of events; they are of the connection's own kind."""


class HookOutcome(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    AUDITED = "audited"
    IGNORED = "ignored"
    FAILED = "failed"


class HookRequest(BaseModel):
    """Which registry will call."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: HookKind
    connection_id: UUID | None = Field(
        None,
        description="Of the same registry: what its events name is fetched over it. Left out of `cloudevents` and "
        "`generic`: over the connection of each policy that follows them; of other kinds: the only one of the kind.",
    )
    secret: Annotated[SecretStr, Field(min_length=16, max_length=200)] | None = Field(
        None, description="That the registry signs with; left out, one is made."
    )
    mapping: EventMapping | None = Field(
        None, description="Of `cloudevents` and `generic`: where an event says which version it is about."
    )

    @model_validator(mode="after")
    def mapped(self) -> Self:
        if (self.mapping is None) != (self.kind in WITH_A_FORM):
            raise ValueError(f"cloudevents and generic need a mapping, and {', '.join(sorted(WITH_A_FORM))} have none")
        return self


class HookRotation(BaseModel):
    """How long the secret before is still good."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(86_400, ge=0, le=30 * 86_400, description="For which either secret proves a delivery.")


class Hook(BaseModel):
    """A hook, without its secret."""

    id: UUID
    name: str
    kind: HookKind
    connection_id: UUID | None = Field(description="Null: events are followed over each policy's own connection.")
    mapping: EventMapping | None
    url: str = Field(description="Where the registry is to send its events; a path where PUBLIC_URL is not set.")
    previous_secret_until: datetime | None = Field(description="Until then the secret before is good as well.")
    failing_since: datetime | None = Field(
        description="Since then versions that it told of got no verdict; null once one did. The deliveries say why."
    )
    refused_since: datetime | None = Field(
        description="Since then deliveries came that were not signed with the secret, and none that was: the registry "
        "may have another secret by now. Null once one proved itself."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: HookRow, url: str) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            kind=HookKind(row.kind),
            connection_id=row.connection_id,
            mapping=None if row.mapping is None else EventMapping.model_validate(row.mapping),
            url=url,
            previous_secret_until=row.previous_until,
            failing_since=row.failing_since,
            refused_since=row.refused_since,
            created_at=row.created_at,
        )


class NewHook(Hook):
    """A hook with its secret, which is told this once."""

    secret: str = Field(description="For the registry, which signs with it; never shown again.", examples=["9b1c..."])


class Accepted(BaseModel):
    """What a registry is answered."""

    delivery_id: UUID
    status: HookOutcome


class HookDelivery(BaseModel):
    """One event, and what became of it."""

    id: UUID
    received_at: datetime
    event: str = Field(examples=["model_version.created"])
    outcome: HookOutcome
    reason: str | None
    model_id: UUID | None
    audit_id: UUID | None
