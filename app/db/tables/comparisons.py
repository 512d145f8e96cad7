"""Audits side by side, and made again by another similarity."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db.tables.base import Base, Identified, Json, Worded
from app.domain.maps.similarities import Similarity
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.regressions import Regression
from app.domain.results.rescored import Rescored
from app.domain.vocabulary import ComparisonUnit, OwedStatus


class ComparisonRow(Worded, Identified, Base):
    """Audits of the same samples side by side; what it found outlives them.

    Where ``model_ids`` are told, each side is that model of the audit in the same place: the same audit may be both.
    """

    __tablename__ = "comparisons"

    name: Mapped[str | None]
    by: Mapped[ComparisonUnit]
    audit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    model_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    status: Mapped[OwedStatus] = mapped_column(default=OwedStatus.QUEUED, index=True)
    attempt: Mapped[int] = mapped_column(default=0)
    problem: Mapped[Json | None]
    document: Mapped[ComparisonResults | None] = mapped_column(JSON(none_as_null=True))
    finished_at: Mapped[datetime | None]


class VersionComparisonRow(Base):
    """An audit of one version of a model, and the one of the version before that it is compared with.

    The comparison says which models of theirs, in the order before, now; one of earlier versions of the service is of
    audits of one model.
    """

    __tablename__ = "version_comparisons"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    before_audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), index=True)
    comparison_id: Mapped[UUID] = mapped_column(ForeignKey("comparisons.id", ondelete="CASCADE"), index=True)
    regressions: Mapped[list[Regression] | None] = mapped_column(JSONB(none_as_null=True))
    """Null until the comparison has succeeded."""


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
