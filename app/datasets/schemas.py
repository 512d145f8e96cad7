"""A data set and its samples as they are described and shown."""

import codecs
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.datasets.sources import DatasetSource, FetchedDataset
from app.db.tables import DatasetRow, SampleRow
from app.domain.samples.label_mapping import DESCRIPTION, LabelMap
from app.domain.samples.table_columns import Columns
from app.domain.vocabulary import ResourceStatus, SampleStatus
from app.http.links import link
from app.http.schemas import Metadata, Name, StoredProblem
from app.naming.schemas import VERSION, Tags, Text, VersionName

DatasetId = Annotated[UUID, Path(description="The `id` that `POST /v1/datasets` answered.")]


def _encoding(value: str) -> str:
    try:
        name = codecs.lookup(value).name
        "".encode(name)  # what is no encoding of text says so
    except (LookupError, ValueError) as error:
        raise ValueError("no such encoding of text") from error
    return name


NameEncoding = Annotated[str, Field(max_length=40, examples=["cp866", "gb18030"]), AfterValidator(_encoding)]


class DatasetRequest(BaseModel):
    """What a registration says; the archive follows by ``PUT content_url``."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    version: VersionName | None = None
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    label_map: LabelMap | None = Field(None, description=f"{DESCRIPTION} Audits may say otherwise.")
    name_encoding: NameEncoding | None = Field(
        None,
        description="Of names in the archive that do not say theirs (unset: found over all of them), and of a manifest "
        "that is not UTF-8.",
    )
    columns: Columns | None = Field(None, description="What the columns of the manifest mean; unset: by their names.")
    source: DatasetSource | None = Field(None, description="Where it is fetched from, in place of an upload.")


class NearDuplicates(BaseModel):
    """Images that look like another one of the data set, by perceptual hashes."""

    images: int
    groups: int = Field(description="Of images that look alike.")
    across_labels: int = Field(description="Groups with several labels.")
    across_splits: int = Field(description="Groups that reach over several splits.")
    with_training_images: int = Field(description="Groups that reach from training images into another split.")


class Dataset(BaseModel):
    """An archive of images and what indexing it found."""

    id: UUID
    name: str
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
    digest: str | None = Field(
        description="Over names, labels, sources and contents of the readable samples. One that begins "
        "with `listing:` is over what the source said of each object when it was listed, in place of contents."
    )
    sample_count: int
    unreadable_count: int = Field(
        description="Of a data set by reference those that audits have found so far: `sample_count` has them too."
    )
    labels: list[str]
    sources: list[str]
    splits: list[str]
    columns: Columns | None = Field(description="What the columns of the manifest were taken for.")
    label_map: LabelMap | None
    name_encoding: str | None
    skipped: dict[str, int] = Field(description="Files that were left out, by reason; `notes` name some of each.")
    near_duplicates: NearDuplicates | None = Field(description="Null where no two images look alike.")
    notes: list[str] = Field(description="How the archive was taken, where it could be taken in another way.")
    source: FetchedDataset | None = Field(description="Null of a data set that is uploaded.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: DatasetRow) -> Self:
        same = {
            name: getattr(row, name)
            for name in (
                "id",
                "name",
                "version",
                "tags",
                "aliases",
                "status",
                "content_digest",
                "content_size",
                "digest",
                "sample_count",
                "unreadable_count",
                "labels",
                "sources",
                "splits",
                "skipped",
                "columns",
                "label_map",
                "name_encoding",
                "near_duplicates",
                "notes",
                "created_at",
                "updated_at",
            )
        }
        content_url = link(f"/v1/datasets/{row.id}/content")
        return cls(
            description=row.about,
            metadata=row.extra,
            problem=StoredProblem.of(row.problem),
            content_url=content_url,
            source=None if row.source is None else FetchedDataset.model_validate(row.source),
            **same,
        )


class Sample(BaseModel):
    """One image; ``sample`` is its name inside the archive."""

    id: UUID
    sample: str
    status: SampleStatus = Field(
        description="`unexamined`: listed where it lies; the first audit that reads it tells size and readability."
    )
    label: str | None
    source: str | None
    split: str | None
    cluster: str | None
    groups: dict[str, str] = Field(description="Further columns of the manifest.")
    near_duplicate_of: str | None = Field(description="The first image of those that look the same.")
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
            split=row.split,
            cluster=row.cluster,
            groups=row.groups or {},
            near_duplicate_of=row.near_duplicate_of,
            width=row.width,
            height=row.height,
            problem=StoredProblem.of(row.problem),
        )
