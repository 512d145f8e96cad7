"""SQL of histories, for their tenant."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditModelRow, AuditResultsRow, AuditRow, ModelRow, VersionComparisonRow
from app.domain.results.headline import StoredHeadline, headlines
from app.domain.vocabulary import AuditStatus
from app.results.reading import current

MOST_AUDITS = 100
"""Of one version, the newest."""


def newest_versions(session: Session, name: str, limit: int) -> list[ModelRow]:
    """In the order in which they were registered."""
    query = select(ModelRow).where(ModelRow.name == name).order_by(ModelRow.id.desc()).limit(limit)
    return list(session.scalars(query))[::-1]


def audits_of(session: Session, model_id: UUID) -> Sequence[AuditRow]:
    """Those that have succeeded and measure the model, alone or with others, in their order."""
    query = select(AuditRow).join(AuditModelRow).where(AuditModelRow.model_id == model_id)
    succeeded = query.where(AuditRow.status == AuditStatus.SUCCEEDED).order_by(AuditRow.finished_at.desc())
    return session.scalars(succeeded.limit(MOST_AUDITS)).all()[::-1]


def headlines_of(session: Session, audit: AuditRow) -> list[StoredHeadline]:
    """Of each model; of audits of earlier versions of the service, from the results."""
    if audit.headlines is None:
        return headlines(current(session.get_one(AuditResultsRow, audit.id).document))
    return audit.headlines


def version_comparisons(session: Session, audit_ids: Sequence[UUID]) -> Sequence[VersionComparisonRow]:
    """Of those audits, in their order."""
    row = VersionComparisonRow
    return session.scalars(select(row).where(row.audit_id.in_(audit_ids)).order_by(row.audit_id)).all()


def model_of(session: Session, audit_id: UUID) -> ModelRow | None:
    """Of an audit of one model."""
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id, AuditModelRow.ordinal == 0)
    return session.scalar(query)
