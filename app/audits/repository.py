"""SQL of audits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import AuditMapSetRow, AuditModelRow, AuditResultsRow, AuditRow, DatasetRow, ModelRow, WorkerRow
from app.domain.gates.stored import Outcome
from app.domain.problems import planning
from app.domain.results.documents import ResultsDocument
from app.domain.vocabulary import AuditStatus, DeviceClass
from app.errors import NotFound
from app.naming.filters import Filter, narrowed
from app.results.reading import current

KNOWN_FOR = timedelta(minutes=10)


def get_audit(session: Session, audit_id: UUID, *, lock: bool = False) -> AuditRow:
    """Raises NotFound."""
    row = session.get(AuditRow, audit_id, with_for_update=lock)
    if row is None:
        raise NotFound("audit")
    return row


def lock_dataset(session: Session, dataset_id: UUID) -> DatasetRow:
    """Safe from deletion until the end. Raises Unprocessable ``unknown-dataset``."""
    query = select(DatasetRow).where(DatasetRow.id == dataset_id).with_for_update(read=True, key_share=True)
    row = session.scalar(query)
    if row is None:
        raise planning.UNKNOWN_DATASET.error(id=dataset_id)
    return row


@dataclass(frozen=True)
class AuditFilter(Filter):
    """Which audits."""

    verdict: Annotated[Outcome | None, Query(description="Audits whose gate said so.")] = None
    status: Annotated[AuditStatus | None, Query(description="Audits in this state.")] = None
    dataset_id: Annotated[UUID | None, Query(description="Audits of this data set.")] = None
    model_id: Annotated[UUID | None, Query(description="Audits that measure this model, alone or with others.")] = None


def list_audits(session: Session, wanted: AuditFilter, limit: int, after: UUID | None) -> Rows[AuditRow]:
    """The newest first."""
    query = narrowed(select(AuditRow), AuditRow, wanted)
    if wanted.verdict is not None:
        query = query.where(AuditRow.verdict["verdict"].astext == wanted.verdict)
    if wanted.status is not None:
        query = query.where(AuditRow.status == wanted.status)
    if wanted.dataset_id is not None:
        query = query.where(AuditRow.dataset_id == wanted.dataset_id)
    if wanted.model_id is not None:
        of_model = select(AuditModelRow.audit_id).where(AuditModelRow.model_id == wanted.model_id)
        query = query.where(AuditRow.id.in_(of_model))
    return newest(session, query, AuditRow, limit, after)


def models_of(session: Session, audit_id: UUID) -> list[ModelRow]:
    """In the order of their ordinals."""
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id)
    return list(session.scalars(query.order_by(AuditModelRow.ordinal)))


def model_ids_of(session: Session, audit_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """By audit, in the order of their ordinals."""
    query = select(AuditModelRow).where(AuditModelRow.audit_id.in_(audit_ids))
    found: dict[UUID, list[UUID]] = {audit_id: [] for audit_id in audit_ids}
    for row in session.scalars(query.order_by(AuditModelRow.audit_id, AuditModelRow.ordinal)):
        found[row.audit_id].append(row.model_id)
    return found


def map_set_ids_of(session: Session, audit_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Likewise, of map sets."""
    query = select(AuditMapSetRow).where(AuditMapSetRow.audit_id.in_(audit_ids))
    found: dict[UUID, list[UUID]] = {audit_id: [] for audit_id in audit_ids}
    for row in session.scalars(query.order_by(AuditMapSetRow.audit_id, AuditMapSetRow.ordinal)):
        found[row.audit_id].append(row.map_set_id)
    return found


def worker_known(session: Session, device_class: DeviceClass) -> bool:
    """Whether a worker of that class was there a short while ago; one that restarts counts."""
    recent = WorkerRow.seen_at > func.clock_timestamp() - KNOWN_FOR
    query = select(WorkerRow.name).where(WorkerRow.device_class == device_class, recent)
    return session.scalar(query.limit(1)) is not None


def results_of(session: Session, audit_id: UUID) -> ResultsDocument:
    """Raises NotFound."""
    row = session.get(AuditResultsRow, audit_id)
    if row is None:
        raise NotFound("results")
    return current(row.document)
