"""Fields that several rooms share."""

import json
from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from app.domain.vocabulary import ResourceStatus

MAX_METADATA_BYTES = 16 * 1024

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata may have {MAX_METADATA_BYTES} bytes as JSON")
    return value


Metadata = Annotated[dict[str, Any], AfterValidator(_small), Field(description="Yours; up to 16 KiB of JSON.")]


StatusFilter = Annotated[
    ResourceStatus | None, Query(description="`ready` can be audited; `rejected` says why in its `problem`.")
]


CascadeFlag = Annotated[
    bool, Query(description="Delete what refers to it as well: audits that have ended with their scores, run groups.")
]


class StoredProblem(BaseModel):
    """Why a resource was rejected, or why an audit failed; some codes come with what the way out needs."""

    code: str
    detail: str
    keys: list[str] | None = Field(
        None, exclude_if=lambda keys: keys is None, description="What `weights_key` may name: several mappings fit."
    )

    suggested_head: list[Any] | None = Field(
        None, exclude_if=lambda head: head is None, description="A `head` that would fit the file."
    )

    @classmethod
    def of(cls, problem: dict[str, Any] | None) -> Self | None:
        return None if problem is None else cls(**problem)
