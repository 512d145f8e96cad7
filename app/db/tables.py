"""Every row of the database, on one page."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.domain.vocabulary import (
    AuditStatus,
    ComparisonStatus,
    ComparisonUnit,
    DeviceClass,
    ResourceStatus,
    SampleStatus,
    ShardStatus,
)

Json = dict[str, Any]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(Integer),
        UUID: Uuid,
        ResourceStatus: Text,
        SampleStatus: Text,
        AuditStatus: Text,
        ShardStatus: Text,
        DeviceClass: Text,
        ComparisonStatus: Text,
        ComparisonUnit: Text,
    }


class _Identified:
    """UUIDv7 keys sort by creation, so that they page lists as well."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class _Uploaded(_Identified):
    """A resource that is described first and whose bytes follow."""

    name: Mapped[str]
    status: Mapped[ResourceStatus] = mapped_column(default=ResourceStatus.AWAITING_CONTENT)
    problem: Mapped[Json | None]
    extra: Mapped[Json] = mapped_column(default=dict)
    content_digest: Mapped[str | None]
    content_size: Mapped[int | None] = mapped_column(BigInteger)
    stored_digest: Mapped[str | None]
    """The blob that audits read: canonical safetensors, or a seekable archive."""


class ModelRow(_Uploaded, Base):
    """The classifier under audit."""

    __tablename__ = "models"

    version: Mapped[str | None]
    architecture: Mapped[str]
    format: Mapped[str]
    class_names: Mapped[list[str] | None]
    preprocessing: Mapped[Json]
    target_layer: Mapped[str | None]
    probe: Mapped[Json | None]


class DatasetRow(_Uploaded, Base):
    """An archive of images, indexed."""

    __tablename__ = "datasets"

    digest: Mapped[str | None]
    """Over the names, labels, sources and checksums of the readable samples, in order."""
    sample_count: Mapped[int] = mapped_column(default=0)
    unreadable_count: Mapped[int] = mapped_column(default=0)
    labels: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[str]] = mapped_column(default=list)
    notes: Mapped[list[str]] = mapped_column(default=list)


class SampleRow(Base):
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
    width: Mapped[int | None]
    height: Mapped[int | None]
    problem: Mapped[Json | None]
    offset: Mapped[int] = mapped_column(BigInteger)
    """Of the entry's stored bytes within the archive blob."""
    stored_size: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    compression: Mapped[int] = mapped_column(SmallInteger)
    """0 stored, 8 deflate, as in ZIP."""
    crc32: Mapped[int | None] = mapped_column(BigInteger)


class RunGroupRow(_Identified, Base):
    """Models of one recipe, trained independently."""

    __tablename__ = "run_groups"

    name: Mapped[str]


class RunGroupModelRow(Base):
    __tablename__ = "run_group_models"

    run_group_id: Mapped[UUID] = mapped_column(ForeignKey("run_groups.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"), index=True)


class AuditRow(_Identified, Base):
    """A request to measure models on a data set, and how far it got."""

    __tablename__ = "audits"

    name: Mapped[str | None]
    status: Mapped[AuditStatus] = mapped_column(default=AuditStatus.QUEUED, index=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"), index=True)
    run_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("run_groups.id", ondelete="SET NULL"), index=True)
    protocol: Mapped[Json]
    protocol_digest: Mapped[str]
    replanned: Mapped[Json | None]
    """Why the protocol is not the one asked for: ``reason`` and ``micro_batch_before``."""
    device_class: Mapped[DeviceClass] = mapped_column(default=DeviceClass.CPU)
    """All shards of an audit run on one kind of processor: another would give other last bits."""
    sample_positions: Mapped[list[int] | None]
    """The seeded draw, ascending; null: every readable sample."""
    sample_count: Mapped[int]
    problem: Mapped[Json | None]
    origin: Mapped[Json | None]
    """The request that made it and its place in a trace: workers' log lines and spans belong to both."""
    cancel_requested: Mapped[bool] = mapped_column(Boolean, default=False)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    scores_removed_at: Mapped[datetime | None]
    """When housekeeping removed the scores per sample, and the maps with them; the results stay."""
    maps_removed_at: Mapped[datetime | None]
    gate: Mapped[Json | None]
    """The gate's conditions as they were when the audit was asked for, and the baseline's id."""
    verdict: Mapped[Json | None]


class AuditModelRow(Base):
    __tablename__ = "audit_models"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"), index=True)


class ShardRow(Base):
    """A contiguous range of an audit's samples: the unit of work."""

    __tablename__ = "shards"
    __table_args__ = (
        Index("ix_shards_audit_ordinal", "audit_id", "ordinal", unique=True),
        Index("ix_shards_audit_claimed", "audit_id", "claimed_at", postgresql_where=text("claimed_at IS NOT NULL")),
        # Of a long audit most shards are done: whoever looks for the next one should not meet them.
        Index("ix_shards_open", "audit_id", "ordinal", postgresql_where=text("status <> 'done'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    start: Mapped[int]
    stop: Mapped[int]
    status: Mapped[ShardStatus] = mapped_column(default=ShardStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    """By the latest attempt, which began then; says which audit was served least recently."""
    lease_expires_at: Mapped[datetime | None]
    """Until then nobody else may take it: its worker is at it or, while it is queued, a passing fault passes."""
    samples_done: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    """When its scores were stored; none while an attempt is at it."""
    taken_over: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """The attempt before this one lost its worker."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SampleScoresRow(Base):
    """What one model gave for one sample of an audit; arrays follow the protocol's columns and conditions.

    ``model_ordinal`` -1 is the row across models: stability, its only score, and the pairs behind it.
    """

    __tablename__ = "sample_scores"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    model_ordinal: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), index=True)
    scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    controls: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    undefined: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))
    predicted: Mapped[list[int] | None]
    """Per condition, clean first."""
    class_scores: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    """Per condition (clean first) the scores of the classes that occur as labels, flattened."""
    pairs: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    """SSIM of the pairs of models i < j."""
    maps: Mapped[bytes | None] = mapped_column(LargeBinary)
    """float32 native maps per condition, clean first, row by row."""
    map_height: Mapped[int | None] = mapped_column(SmallInteger)
    map_width: Mapped[int | None] = mapped_column(SmallInteger)


class CleanSourceRow(Base):
    """Says that a finished shard holds clean maps which other audits may take over.

    ``key`` is the digest of all that decides about a clean map's bits: model, data set, salience settings, processor.
    """

    __tablename__ = "clean_sources"

    key: Mapped[str] = mapped_column(primary_key=True)
    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True, index=True)
    model_ordinal: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Ordinals of the shard's samples: [start, stop)."""
    stop: Mapped[int]


class AuditResultsRow(Base):
    """The finished document of ``GET /v1/audits/{id}/results``."""

    __tablename__ = "audit_results"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[Json] = mapped_column(JSON)
    """Not JSONB, which would reorder its keys: people read it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WorkerRow(Base):
    """A worker process that said it is there."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    device_class: Mapped[DeviceClass]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKeyRow(Base):
    """What a POST with an ``Idempotency-Key`` made: sent again, it gets the same answer."""

    __tablename__ = "idempotency_keys"

    operation: Mapped[str] = mapped_column(primary_key=True)
    """Method and path."""
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    resource_id: Mapped[UUID | None]
    answer: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class GateRow(_Identified, Base):
    """Named conditions that an audit's numbers must meet."""

    __tablename__ = "gates"

    name: Mapped[str]
    conditions: Mapped[list[str]]


class ComparisonRow(_Identified, Base):
    """Audits of the same samples side by side; what it found outlives them."""

    __tablename__ = "comparisons"

    name: Mapped[str | None]
    by: Mapped[ComparisonUnit]
    audit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    status: Mapped[ComparisonStatus] = mapped_column(default=ComparisonStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    problem: Mapped[Json | None]
    document: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    finished_at: Mapped[datetime | None]


class CounterRow(Base):
    """A sum that only grows, for Prometheus: what it counts may be deleted, the count stays.

    It is spread over slots, so that workers that add to it at the same time seldom wait for each other.
    """

    __tablename__ = "counters"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[float] = mapped_column(Double)


class GpuReportRow(Base):
    """The memory of a worker's GPU, as the worker last saw it."""

    __tablename__ = "gpu_reports"

    worker: Mapped[str] = mapped_column(primary_key=True)
    gpu: Mapped[str]
    memory_used_bytes: Mapped[int] = mapped_column(BigInteger)
    memory_total_bytes: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
