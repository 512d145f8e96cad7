"""Audits and their shards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import AwaitsSource, Base, Identified, Json, OfTenant, Worded
from app.domain.gates.stored import StoredGate, StoredVerdict
from app.domain.results.headline import StoredHeadline
from app.domain.vocabulary import AuditStatus, DeviceClass, ShardStatus


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
