"""What the service knows about itself: workers, keys of repeated requests, counters."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import TENANT_OF_TRANSACTION, Base, Json, TenantOwned
from app.domain.vocabulary import DeviceClass


class WorkerRow(Base):
    """A worker process that said it is there."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    device_class: Mapped[DeviceClass]
    processor: Mapped[str | None]
    """What decides about a score's last bits, as JSON; null of a worker of an earlier version."""
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKeyRow(TenantOwned, Base):
    """What a POST with an ``Idempotency-Key`` made: sent again, it gets the same answer."""

    __tablename__ = "idempotency_keys"

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="RESTRICT"), server_default=TENANT_OF_TRANSACTION, primary_key=True
    )
    operation: Mapped[str] = mapped_column(primary_key=True)
    """Method and path."""
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    resource_id: Mapped[UUID | None]
    answer: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class AuditUsageRow(TenantOwned, Base):
    """What an audit takes of its tenant's minutes; deleting the audit does not give them back."""

    __tablename__ = "audit_usage"
    __table_args__ = (Index("ix_audit_usage_tenant", "tenant_id", "created_at"),)

    audit_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    reserved_seconds: Mapped[float] = mapped_column(Double)
    """The estimate, as it was when the audit was asked for; 0 where there was none."""
    used_seconds: Mapped[float] = mapped_column(Double, default=0.0, server_default=text("0"))
    """Of workers, in the shards that are done."""


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
