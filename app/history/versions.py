"""An audit of one version of a model and the version before it: what is compared, asked for as people ask."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.db.identifiers import new_id
from app.db.order import is_earlier, newest_first
from app.db.tables import AuditModelRow, AuditRow, ComparisonRow, DatasetRow, ModelRow, VersionComparisonRow
from app.domain.vocabulary import AuditStatus, ComparisonUnit, OwedStatus

TAG = "model-history"
"""Of comparisons that nobody asked for."""


def compare_with_version_before(session: Session, audit: AuditRow) -> UUID | None:
    """The comparison with the nearest earlier version that was audited alike, for a worker to compute; None without.

    Alike: alone, on the same samples, under the same protocol, and its scores are still there. Of several audits of
    that version it is the newest. The caller's transaction is the one in which the audit succeeds.
    """
    model = session.scalar(
        select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit.id, ~_has_several(audit.id))
    )
    found = None if model is None else session.execute(_earlier(session, audit, model)).first()
    if model is None or found is None:
        return None
    before, earlier = found
    row = ComparisonRow(
        id=new_id(),
        tenant_id=audit.tenant_id,
        name=f"{model.name}: {earlier.version} against {model.version}"[:200],
        by=ComparisonUnit.AUDIT,
        audit_ids=[before.id, audit.id],
        status=OwedStatus.QUEUED,
        attempt=0,
        tags=[TAG],
    )
    session.add(row)
    session.flush()
    session.add(VersionComparisonRow(audit_id=audit.id, before_audit_id=before.id, comparison_id=row.id))
    return row.id


def _earlier(session: Session, audit: AuditRow, model: ModelRow) -> Select[AuditRow, ModelRow]:
    """Audits of earlier versions, the nearest version and then the newest audit first."""
    digest = session.get_one(DatasetRow, audit.dataset_id).digest
    query = (
        select(AuditRow, ModelRow)
        .join(AuditModelRow, AuditModelRow.audit_id == AuditRow.id)
        .join(ModelRow, ModelRow.id == AuditModelRow.model_id)
        .join(DatasetRow, DatasetRow.id == AuditRow.dataset_id)
        .where(
            ModelRow.tenant_id == audit.tenant_id,
            ModelRow.name == model.name,
            is_earlier(ModelRow, model),
            AuditRow.status == AuditStatus.SUCCEEDED,
            AuditRow.scores_removed_at.is_(None),
            AuditRow.protocol_digest == audit.protocol_digest,
            AuditRow.sample_positions.is_not_distinct_from(audit.sample_positions),
            DatasetRow.digest == digest,
            ~_has_several(AuditRow.id),
        )
        .order_by(*newest_first(ModelRow), AuditRow.finished_at.desc())
        .limit(1)
    )
    return query.with_for_update(read=True, key_share=True, of=AuditRow)


def _has_several(audit_id: UUID | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    another = aliased(AuditModelRow)
    return exists().where(another.audit_id == audit_id, another.ordinal > 0)
