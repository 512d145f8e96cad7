"""A run group as it is asked for and shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.http.schemas import Name

RunGroupId = Annotated[UUID, Path(description="The `id` that `POST /v1/run-groups` answered.")]


class RunGroupRequest(BaseModel):
    """Models of one recipe, trained independently."""

    model_config = ConfigDict(extra="forbid")

    name: Name
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
    model_ids: list[UUID]
    created_at: datetime
    updated_at: datetime
