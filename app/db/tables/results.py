"""What audits hand out once they have ended: their results, and archives of changed images."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    SmallInteger,
    func,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db.tables.base import AwaitsSource, Base, Identified, Json
from app.domain.audits.changed_images import Needs
from app.domain.results.documents import ResultsDocument
from app.domain.vocabulary import OwedStatus


class AuditResultsRow(Base):
    """The finished document of ``GET /v1/audits/{id}/results``."""

    __tablename__ = "audit_results"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[ResultsDocument] = mapped_column(JSON)
    """Not JSONB, which would reorder its keys: people read it."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


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
