"""SQL of histories, for their tenant."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from app.db.order import newest_first
from app.db.tables import AuditModelRow, AuditResultsRow, AuditRow, ModelRow, VersionComparisonRow
from app.domain.results.headline import StoredHeadline, headlines
from app.domain.vocabulary import AuditStatus
from app.results.reading import current

MOST_AUDITS = 100
"""Of one version, the newest."""


class ComparedVersions(NamedTuple):
    """A comparison that nobody asked for, and the versions that it compares."""

    row: VersionComparisonRow
    now: ModelRow
    before: ModelRow


def newest_versions(session: Session, name: str, limit: int) -> list[ModelRow]:
    """In the order in which they were made, in their registry or here."""
    query = select(ModelRow).where(ModelRow.name == name).order_by(*newest_first(ModelRow)).limit(limit)
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


def version_comparisons(session: Session, audit_ids: Sequence[UUID]) -> list[ComparedVersions]:
    """Of those audits, in their order."""
    row, before_its_audit, before = VersionComparisonRow, aliased(AuditModelRow), aliased(ModelRow)
    query = (
        select(row, ModelRow, before)
        .join(AuditModelRow, and_(AuditModelRow.audit_id == row.audit_id, AuditModelRow.ordinal == 0))
        .join(ModelRow, ModelRow.id == AuditModelRow.model_id)
        .join(before_its_audit, and_(before_its_audit.audit_id == row.before_audit_id, before_its_audit.ordinal == 0))
        .join(before, before.id == before_its_audit.model_id)
        .where(row.audit_id.in_(audit_ids))
        .order_by(row.audit_id)
    )
    return [ComparedVersions(*found) for found in session.execute(query)]


def model_of(session: Session, audit_id: UUID) -> ModelRow | None:
    """Of an audit of one model."""
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id, AuditModelRow.ordinal == 0)
    return session.scalar(query)
