"""SQL of histories, for their tenant."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from app.db.order import newest_first
from app.db.tables import AuditModelRow, AuditResultsRow, AuditRow, ComparisonRow, ModelRow, VersionComparisonRow
from app.domain.results.headline import StoredHeadline, headlines
from app.domain.vocabulary import AuditStatus
from app.results.reading import current

MOST_AUDITS = 100
"""Of one version, the newest."""
_BEFORE, _NOW = 1, 2
"""Sides of a comparison of versions."""


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


def version_comparisons(session: Session, *which: ColumnElement[bool]) -> list[ComparedVersions]:
    """In the order of their audits."""
    row, now, before = VersionComparisonRow, aliased(ModelRow), aliased(ModelRow)
    query = (
        select(row, now, before)
        .join(ComparisonRow, ComparisonRow.id == row.comparison_id)
        .join(now, now.id == _model_of(_NOW))
        .join(before, before.id == _model_of(_BEFORE))
        .where(*which)
        .order_by(row.audit_id)
    )
    return [ComparedVersions(*found) for found in session.execute(query)]


def compared_in(session: Session, models: Sequence[ModelRow]) -> list[ComparedVersions]:
    """Those that compare one of these versions with the one before it."""
    of_them = select(AuditModelRow.audit_id).where(AuditModelRow.model_id.in_([model.id for model in models]))
    found = version_comparisons(session, VersionComparisonRow.audit_id.in_(of_them))
    shown = {model.id for model in models}
    return [versions for versions in found if versions.now.id in shown]


def _model_of(place: int) -> ColumnElement[UUID]:
    """Of a side of the comparison, counted from 1; one of earlier versions of the service is its audit's only model."""
    own = select(AuditModelRow.model_id).where(
        AuditModelRow.audit_id == ComparisonRow.audit_ids[place], AuditModelRow.ordinal == 0
    )
    return func.coalesce(ComparisonRow.model_ids[place], own.scalar_subquery())
