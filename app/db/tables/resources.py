"""What is uploaded or named, and outlives the audits that use it: models, data sets, run groups, gates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Identified, Json, OfTenant, Versioned, Worded
from app.domain.vocabulary import ResourceStatus, SampleStatus


class Uploaded(Versioned, Identified):
    """A resource that is described first and whose bytes follow."""

    name: Mapped[str]
    status: Mapped[ResourceStatus] = mapped_column(default=ResourceStatus.AWAITING_CONTENT)
    problem: Mapped[Json | None]
    extra: Mapped[Json] = mapped_column(default=dict)
    content_digest: Mapped[str | None]
    content_size: Mapped[int | None] = mapped_column(BigInteger)
    stored_digest: Mapped[str | None]
    """The blob that audits read: canonical safetensors, or a seekable archive."""


class ModelRow(Uploaded, Base):
    """The classifier under audit."""

    __tablename__ = "models"

    architecture: Mapped[str | None]
    """None of a graph, which is the network itself."""
    format: Mapped[str]
    class_names: Mapped[list[str] | None]
    preprocessing: Mapped[Json]
    target_layer: Mapped[str | None]
    weights_key: Mapped[str | None]
    ignore_tensors: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    description: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """Every field with its value and who said it: from the request first, then what the worker found."""
    output: Mapped[Json | None]
    """How its outputs are read (``app.domain.models.outputs``); null: one logit a class."""
    architecture_options: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    head: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Layers in place of the network's classifier (``app.domain.models.heads``); as declared, then as found."""
    """Arguments of the architecture's builder: the request's, and once it is ready what was assumed as well."""
    probe: Mapped[Json | None]
    reference_digest: Mapped[str | None]
    """The blob with images and what the owner's own code gave for them."""
    reference_size: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Where it comes from, of a model that nobody uploads. Until its description is there, ``format`` and
    ``preprocessing`` may be empty."""
    registered_at: Mapped[datetime | None]
    """When its registry had the version made; null of what was uploaded, or where the registry does not say."""
    fidelity: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """How the reference agrees (``app.domain.models.fidelity``); null until a worker has looked."""


class DatasetRow(Uploaded, Base):
    """An archive of images, indexed."""

    __tablename__ = "datasets"

    digest: Mapped[str | None]
    """Over the names, labels, sources and checksums of the readable samples, in order."""
    sample_count: Mapped[int] = mapped_column(default=0)
    unreadable_count: Mapped[int] = mapped_column(default=0)
    labels: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[str]] = mapped_column(default=list)
    notes: Mapped[list[str]] = mapped_column(default=list)
    splits: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    skipped: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    """Reason -> how many files of the archive were left out for it."""
    label_map: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    """What audits take that say nothing else: label -> class, ``numeric`` or ``imagefolder``."""
    name_encoding: Mapped[str | None]
    columns: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Asked for, before indexing; afterwards those that were used."""
    near_duplicates: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    source: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Where it was fetched from; null of one that is uploaded."""


class SampleRow(OfTenant, Base):
    """One image of a data set: where its bytes lie in the archive and what was found."""

    __tablename__ = "samples"
    __table_args__ = (
        Index("ix_samples_dataset_position", "dataset_id", "position", unique=True),
        Index("ix_samples_dataset_name", "dataset_id", "name_key", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the NFC, casefolded name: two entries that some file system would merge collide here."""
    position: Mapped[int | None]
    """Rank among the readable samples, by name; null for the unreadable."""
    status: Mapped[SampleStatus]
    label: Mapped[str | None]
    source: Mapped[str | None]
    split: Mapped[str | None]
    cluster: Mapped[str | None]
    """Images of one person, scene or video have one."""
    groups: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Further columns of the table that lists the sample; null of one that no table lists."""
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    perceptual_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    near_duplicate_of: Mapped[str | None]
    """The name of the first image of those that look the same."""
    width: Mapped[int | None]
    height: Mapped[int | None]
    problem: Mapped[Json | None]
    offset: Mapped[int] = mapped_column(BigInteger)
    """Of the entry's stored bytes within the archive blob."""
    stored_size: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    compression: Mapped[int] = mapped_column(SmallInteger)
    """As in ZIP: 0 stored, 8 deflate, ..."""
    crc32: Mapped[int | None] = mapped_column(BigInteger)


class RunGroupRow(Worded, Identified, Base):
    """Models of one recipe, trained independently."""

    __tablename__ = "run_groups"

    name: Mapped[str]


class RunGroupModelRow(Base):
    __tablename__ = "run_group_models"

    run_group_id: Mapped[UUID] = mapped_column(ForeignKey("run_groups.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"), index=True)


class GateRow(Versioned, Identified, Base):
    """Named conditions that an audit's numbers must meet."""

    __tablename__ = "gates"

    name: Mapped[str]
    conditions: Mapped[list[str]]
