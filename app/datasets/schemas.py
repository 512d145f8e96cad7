"""A data set and its samples as they are described and shown."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.db.tables import DatasetRow, SampleRow
from app.domain.vocabulary import ResourceStatus, SampleStatus
from app.http.schemas import Metadata, Name, StoredProblem

DatasetId = Annotated[UUID, Path(description="The `id` that `POST /v1/datasets` answered.")]


class DatasetRequest(BaseModel):
    """What a registration says; the archive follows by ``PUT content_url``."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    metadata: Metadata = Field(default_factory=dict)


class Dataset(BaseModel):
    """An archive of images and what indexing it found."""

    id: UUID
    name: str
    metadata: dict[str, Any]
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    digest: str | None = Field(description="Over names, labels, sources and contents of the readable samples.")
    sample_count: int
    unreadable_count: int
    labels: list[str]
    sources: list[str]
    notes: list[str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: DatasetRow) -> Self:
        same = {
            name: getattr(row, name)
            for name in (
                "id",
                "name",
                "status",
                "content_digest",
                "content_size",
                "digest",
                "sample_count",
                "unreadable_count",
                "labels",
                "sources",
                "notes",
                "created_at",
                "updated_at",
            )
        }
        content_url = f"/v1/datasets/{row.id}/content"
        return cls(metadata=row.extra, problem=StoredProblem.of(row.problem), content_url=content_url, **same)


class Sample(BaseModel):
    """One image; ``sample`` is its name inside the archive."""

    id: UUID
    sample: str
    status: SampleStatus
    label: str | None
    source: str | None
    width: int | None
    height: int | None
    problem: StoredProblem | None

    @classmethod
    def of(cls, row: SampleRow) -> Self:
        return cls(
            id=row.id,
            sample=row.name,
            status=row.status,
            label=row.label,
            source=row.source,
            width=row.width,
            height=row.height,
            problem=StoredProblem.of(row.problem),
        )
