"""An audit of one version of a model and the version before it: what is compared, asked for as people ask."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session, aliased

from app.db.identifiers import new_id
from app.db.order import is_earlier, newest_first
from app.db.tables import (
    AuditModelRow,
    AuditRow,
    ComparisonRow,
    DatasetRow,
    ModelRow,
    PolicyRunRow,
    VersionComparisonRow,
)
from app.domain.measures import STABILITY
from app.domain.vocabulary import AuditStatus, ComparisonUnit, OwedStatus

TAG = "model-history"
"""Of comparisons that nobody asked for."""


def compare_with_version_before(session: Session, audit: AuditRow) -> UUID | None:
    """The comparison with the nearest earlier version that was audited alike, for a worker to compute; None without.

    Alike: on the same samples, under the same protocol, and its scores are still there. A score of a model does not
    depend on which models were audited with it: each side is the version's own model, alone or of a run group. Of
    several audits of that version it is the one at hand, else the newest. The caller's transaction is the one in which
    the audit succeeds.
    """
    model = session.scalar(_version_of(audit.id))
    found = None if model is None else session.execute(_earlier(session, audit, model)).first()
    if model is None or found is None:
        return None
    before, earlier = found
    row = ComparisonRow(
        id=new_id(),
        tenant_id=audit.tenant_id,
        name=f"{model.name}: {earlier.version} against {model.version}"[:200],
        by=ComparisonUnit.MODEL,
        audit_ids=[before.id, audit.id],
        model_ids=[earlier.id, model.id],
        status=OwedStatus.QUEUED,
        attempt=0,
        tags=[TAG],
    )
    session.add(row)
    session.flush()
    session.add(VersionComparisonRow(audit_id=audit.id, before_audit_id=before.id, comparison_id=row.id))
    return row.id


def _version_of(audit_id: UUID) -> Select[ModelRow]:
    """What the audit is about: its only model, or the one for which a policy asked for the audit of its run group.

    Of several models that somebody named nobody knows which is the new one.
    """
    another = aliased(AuditModelRow)
    has_several = exists().where(another.audit_id == audit_id, another.model_id != AuditModelRow.model_id)
    run = exists().where(PolicyRunRow.audit_id == audit_id, PolicyRunRow.model_id == AuditModelRow.model_id)
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id, or_(~has_several, run))
    return query.limit(1)


def _earlier(session: Session, audit: AuditRow, model: ModelRow) -> Select[AuditRow, ModelRow]:
    """Audits with earlier versions, the nearest version first, of that the audit at hand, then the newest."""
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
            _is_under(audit),
            AuditRow.sample_positions.is_not_distinct_from(audit.sample_positions),
            DatasetRow.digest == digest,
        )
        .order_by(*newest_first(ModelRow), (AuditRow.id == audit.id).desc(), AuditRow.finished_at.desc())
        .limit(1)
    )
    return query.with_for_update(read=True, key_share=True, of=AuditRow)


def _is_under(audit: AuditRow) -> ColumnElement[bool]:
    """The same protocol, but for stability, which is of a run group and not of a version: one alone has none."""
    path = literal(["measures", STABILITY.name], ARRAY(Text))
    without: ColumnElement[Any] = AuditRow.protocol.op("#-", return_type=JSONB())(path)
    measures = {name: one for name, one in audit.protocol["measures"].items() if name != STABILITY.name}
    alone = literal(audit.protocol | {"measures": measures}, JSONB())
    return or_(AuditRow.protocol_digest == audit.protocol_digest, without == alone)
