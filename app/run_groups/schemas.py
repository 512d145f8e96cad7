"""A run group as it is asked for and shown."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.http.schemas import Metadata, Name
from app.naming.schemas import Tags, Text

RunGroupId = Annotated[UUID, Path(description="The `id` that `POST /v1/run-groups` answered.")]


class RunGroupRequest(BaseModel):
    """Models of one recipe, trained independently."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    model_ids: list[UUID] = Field(min_length=2, max_length=100)

    @field_validator("model_ids")
    @classmethod
    def distinct(cls, value: list[UUID]) -> list[UUID]:
        if len(set(value)) != len(value):
            raise ValueError("model ids must be distinct")
        return value


class RunGroup(BaseModel):
    """A run group."""

    id: UUID
    name: str
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    model_ids: list[UUID]
    created_at: datetime
    updated_at: datetime
