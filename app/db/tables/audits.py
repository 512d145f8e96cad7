"""Audits, their shards, and what came of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    cast,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db.tables.base import AwaitsSource, Base, Identified, Json, OfTenant, Worded
from app.domain.audits.changed_images import Needs
from app.domain.gates.stored import StoredGate, StoredVerdict
from app.domain.maps.similarities import Similarity
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.domain.results.headline import StoredHeadline
from app.domain.results.regressions import Regression
from app.domain.results.rescored import Rescored
from app.domain.vocabulary import AuditStatus, ComparisonUnit, DeviceClass, OwedStatus, ShardStatus


class AuditRow(Worded, Identified, Base):
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
    processors: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    """Those that its shards ran on, each as JSON (`worker.machine.processor`); of GPUs one alone."""
    sample_positions: Mapped[list[int] | None]
    """The split's, or the seeded draw, ascending; null: every readable sample."""
    split: Mapped[str | None]
    stratify: Mapped[str | None]
    group_by: Mapped[list[str] | None]
    cluster: Mapped[str | None]
    """The column of the manifest whose values are drawn together for intervals; null: every sample on its own."""
    label_map: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    notes: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    """What whoever reads the numbers should know of the samples."""
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
    gate: Mapped[StoredGate | None] = mapped_column(JSONB)
    """The gate's conditions as they were when the audit was asked for, and the baseline's id."""
    verdict: Mapped[StoredVerdict | None] = mapped_column(JSONB)
    headlines: Mapped[list[StoredHeadline] | None] = mapped_column(JSONB(none_as_null=True))
    """Of each model, once it has succeeded: a history reads no results. Null of audits of earlier versions."""


class AuditModelRow(Base):
    __tablename__ = "audit_models"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="RESTRICT"), index=True)


class ShardRow(AwaitsSource, OfTenant, Base):
    """A contiguous range of an audit's samples: the unit of work."""

    __tablename__ = "shards"
    __table_args__ = (
        Index("ix_shards_audit_ordinal", "audit_id", "ordinal", unique=True),
        Index("ix_shards_tenant_claimed", "tenant_id", "claimed_at", postgresql_where=text("claimed_at IS NOT NULL")),
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
    device_faults: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list, server_default=text("'{}'"))
    """First samples of the batches at which a device failed."""
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SampleScoresRow(OfTenant, Base):
    """What one subject gave for one sample of an audit; arrays follow the protocol's columns and conditions.

    ``model_ordinal`` is the subject's; -1 is the row across subjects: the pairings, its only scores, and the pairs
    behind them.
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


def map_cells() -> ColumnElement[int]:
    """Of each of a row's maps. A product of two smallints would be one as well, and 224 x 224 is none."""
    return cast(SampleScoresRow.map_height, Integer) * SampleScoresRow.map_width


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
    document: Mapped[ResultsDocument] = mapped_column(JSON)
    """Not JSONB, which would reorder its keys: people read it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ComparisonRow(Worded, Identified, Base):
    """Audits of the same samples side by side; what it found outlives them."""

    __tablename__ = "comparisons"

    name: Mapped[str | None]
    by: Mapped[ComparisonUnit]
    audit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    status: Mapped[OwedStatus] = mapped_column(default=OwedStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    problem: Mapped[Json | None]
    document: Mapped[ComparisonResults | None] = mapped_column(JSON(none_as_null=True))
    finished_at: Mapped[datetime | None]


class RescoreRow(Identified, Base):
    """An audit's comparisons made again by another similarity."""

    __tablename__ = "rescores"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"))
    similarity: Mapped[Similarity]
    status: Mapped[OwedStatus] = mapped_column(default=OwedStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    problem: Mapped[Json | None]
    document: Mapped[Rescored | None] = mapped_column(JSON(none_as_null=True))
    finished_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        """Each similarity once for an audit."""
        return (
            Index("ix_rescores_tenant", "tenant_id", "id"),
            Index("ix_rescores_audit", "audit_id", "similarity", unique=True),
        )


class ViewArchiveRow(AwaitsSource, Identified, Base):
    """An audit's changed images, once somebody asked for them; a worker makes the archive under a lease."""

    __tablename__ = "view_archives"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"))
    model_ordinal: Mapped[int] = mapped_column(SmallInteger)
    """The subject's that looks at the images."""
    needs: Mapped[Needs]
    status: Mapped[OwedStatus] = mapped_column(default=OwedStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_expires_at: Mapped[datetime | None]
    problem: Mapped[Json | None]
    stored_digest: Mapped[str | None]
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes; until it is made, the most that it can have."""
    finished_at: Mapped[datetime | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        """Each kind of images once for a subject."""
        return (
            Index("ix_view_archives_tenant", "tenant_id", "id"),
            Index("ix_view_archives_audit", "audit_id", "model_ordinal", "needs", unique=True),
        )


class VersionComparisonRow(Base):
    """An audit of one version of a model, and the one of the version before that it is compared with."""

    __tablename__ = "version_comparisons"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    before_audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), index=True)
    comparison_id: Mapped[UUID] = mapped_column(ForeignKey("comparisons.id", ondelete="CASCADE"), index=True)
    regressions: Mapped[list[Regression] | None] = mapped_column(JSONB(none_as_null=True))
    """Null until the comparison has succeeded."""
