"""A webhook as it is asked for and shown, and its deliveries."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.domain.events import EventType
from app.domain.vocabulary import DeliveryStatus
from app.naming.schemas import Text
from app.webhooks.messages import WebhookFormat

WebhookId = Annotated[UUID, Path(description="The `id` that `POST /v1/webhooks` answered.")]
DeliveryId = Annotated[UUID, Path(description="The `id` that the webhook's deliveries list.")]

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2048),
    Field(description="http or https, of a public address.", examples=["https://ci.example.com/salience"]),
]
Events = Annotated[
    list[EventType],
    Field(min_length=1, description="Of which it shall hear."),
    AfterValidator(lambda values: list(dict.fromkeys(values))),
]


class WebhookRequest(BaseModel):
    """Who shall hear of what."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events
    format: WebhookFormat = Field(
        WebhookFormat.STANDARD, description="`slack` and `teams`: as an incoming webhook of theirs takes it."
    )
    description: Text | None = None


class WebhookChange(BaseModel):
    """What is named is changed."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    description: Text | None = None
    enabled: bool | None = Field(
        None, description="`true` takes a disabled one up again, and what waits for it; `false` disables it."
    )


class RotateRequest(BaseModel):
    """How long the secret before still signs."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: int = Field(86_400, ge=0, le=30 * 86_400, description="For which both secrets sign.")


class Webhook(BaseModel):
    """A webhook, without its secret."""

    id: UUID
    url: str = Field(description="Of `slack` and `teams` the host alone: whoever knows the rest may post there.")
    events: list[str]
    format: WebhookFormat
    description: str | None
    enabled: bool
    disabled_reason: str | None = Field(description="Why it gets nothing more: `PATCH` with `enabled` takes it up.")
    paused_until: datetime | None = Field(description="The receiver asked for less until then.")
    previous_secret_until: datetime | None = Field(description="Until then the secret before signs as well.")
    created_at: datetime


class NewWebhook(Webhook):
    """A webhook with a secret that is told this once."""

    secret: str = Field(description="Verifies signatures; it is shown now and never again.", examples=["whsec_..."])


class Attempt(BaseModel):
    """One try to deliver."""

    at: datetime
    seconds: float
    status_code: int | None = Field(description="Null where no answer came.")
    problem: str | None = Field(None, description="Why no answer came.")


class Delivery(BaseModel):
    """One event on its way to one webhook."""

    id: UUID
    message_id: str = Field(description="The header `webhook-id` of every attempt.", examples=["msg_01a2..."])
    event: str
    status: DeliveryStatus
    attempts: list[Attempt]
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    body: dict[str, Any] = Field(description="What it says, before it took the webhook's format.")
