"""A map set and its maps as they are described and shown."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from app.db.tables import MapRow, MapSetRow
from app.domain.models.input_spec import InputSide
from app.domain.vocabulary import MapSetKind, ResourceStatus, SampleStatus
from app.http.links import link
from app.http.schemas import Metadata, Name, StoredProblem
from app.naming.schemas import VERSION, Tags, Text, VersionName
from app.results.inputs import input_size_of

MapSetId = Annotated[UUID, Path(description="The `id` that `POST /v1/map-sets` answered.")]


class MapSetRequest(BaseModel):
    """What a registration says; the maps follow by ``PUT content_url``."""

    model_config = ConfigDict(extra="forbid")

    dataset_id: UUID = Field(description="Whose samples the maps are of; it is `ready`.")
    name: Name
    kind: MapSetKind = Field(description="`human` drawn by people, `gaze` of where they looked, `other` of any tool.")
    version: VersionName | None = None
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    sigma: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None,
        description="Standard deviation, in pixels of the image, of the Gaussian that a fixation becomes; lists of "
        "fixations need it.",
    )
    input_size: InputSide | tuple[InputSide, InputSide] | None = Field(
        None,
        description="Of maps of the images that audits hand out (`GET /v1/audits/{id}/views`): the side of those "
        "images, or `[height, width]`. Such a set can be audited before its maps are there.",
    )


class MapSet(BaseModel):
    """Maps of a data set's samples, and what reading them found."""

    id: UUID
    dataset_id: UUID
    name: str
    kind: MapSetKind
    version: str | None = Field(description=VERSION)
    description: str | None
    metadata: dict[str, Any]
    tags: list[str]
    aliases: list[str]
    status: ResourceStatus
    problem: StoredProblem | None
    content_url: str
    content_digest: str | None
    content_size: int | None
    sigma: float | None
    input_size: int | tuple[int, int] | None = Field(
        description="Of the images that audits hand out and the maps are of; null: they are of the samples' own."
    )
    digest: str | None = Field(description="Over the samples, views and numbers of the maps.")
    map_count: int = Field(description="Maps that can be audited.")
    unreadable_count: int = Field(description="Files and images that gave none; see `maps?status=unreadable`.")
    views: list[str] = Field(description="Of whose images there are maps: `clean`, and views of audits.")
    notes: list[str] = Field(description="How the maps were taken, where they could be taken in another way.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: MapSetRow) -> Self:
        own = {"description", "metadata", "problem", "content_url", "input_size"}
        return cls(
            description=row.about,
            metadata=row.extra,
            problem=StoredProblem.of(row.problem),
            content_url=link(f"/v1/map-sets/{row.id}/content"),
            input_size=input_size_of(row),
            **{name: getattr(row, name) for name in cls.model_fields if name not in own},
        )


class GivenMap(BaseModel):
    """One map as it came, or what came and is none."""

    id: UUID
    name: str = Field(description="In the upload: of a file, or of the image that a file speaks of.")
    sample_id: UUID | None
    view: str
    status: SampleStatus
    height: int | None
    width: int | None
    fixations: int | None = Field(description="How many it was made of; null of any other map.")
    problem: StoredProblem | None

    @classmethod
    def of(cls, row: MapRow) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            sample_id=row.sample_id,
            view=row.view,
            status=row.status,
            height=row.height,
            width=row.width,
            fixations=None if row.fixations is None else len(row.fixations) // 2,
            problem=StoredProblem.of(row.problem),
        )
