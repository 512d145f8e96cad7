"""The worker's SQL for shards: claim, plan, heart-beat, save. Every write is fenced by the attempt number."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.db.tables import AuditModelRow, AuditRow, DatasetRow, ModelRow, SampleRow, SampleScoresRow, ShardRow
from app.domain.vocabulary import AuditStatus, ShardStatus
from worker.shard_counts import count_claim, count_done

LIVE = (AuditStatus.QUEUED, AuditStatus.RUNNING)


class Refusal(Enum):
    """Why a shard could not be claimed."""

    OVER = auto()
    """Done, or its audit has ended: nothing to do."""
    LEASED = auto()
    """Another worker holds a live lease: come back later."""


@dataclass(frozen=True)
class Claim:
    """A shard that this worker holds until its lease expires."""

    shard_id: UUID
    audit_id: UUID
    start: int
    stop: int
    attempt: int


def claim_shard(session: Session, shard_id: UUID, worker: str, lease_seconds: float) -> Claim | Refusal:
    """Compare and set on the database's clock."""
    live_audit = select(AuditRow.id).where(AuditRow.id == ShardRow.audit_id, AuditRow.status.in_(LIVE)).exists()
    expired = (ShardRow.status == ShardStatus.RUNNING) & (ShardRow.lease_expires_at < func.clock_timestamp())
    claimed = session.execute(
        update(ShardRow)
        .where(ShardRow.id == shard_id, or_(ShardRow.status == ShardStatus.QUEUED, expired), live_audit)
        .values(
            status=ShardStatus.RUNNING,
            attempt=ShardRow.attempt + 1,
            worker=worker,
            samples_done=0,
            lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_seconds),
            started_at=func.clock_timestamp(),
            taken_over=ShardRow.status == ShardStatus.RUNNING,
        )
        .returning(ShardRow.audit_id, ShardRow.start, ShardRow.stop, ShardRow.attempt, ShardRow.taken_over)
    ).one_or_none()
    if claimed is None:
        return _refusal(session, shard_id)
    session.execute(
        update(AuditRow)
        .where(AuditRow.id == claimed.audit_id, AuditRow.status == AuditStatus.QUEUED)
        .values(status=AuditStatus.RUNNING, started_at=func.clock_timestamp())
    )
    count_claim(session, shard_id, claimed.attempt, taken_over=claimed.taken_over)
    return Claim(shard_id, claimed.audit_id, claimed.start, claimed.stop, claimed.attempt)


def _refusal(session: Session, shard_id: UUID) -> Refusal:
    query = select(ShardRow.status, AuditRow.status).join(AuditRow).where(ShardRow.id == shard_id)
    found = session.execute(query).one_or_none()
    busy = found is not None and found[0] == ShardStatus.RUNNING and found[1] in LIVE
    return Refusal.LEASED if busy else Refusal.OVER


def extend_lease(session: Session, claim: Claim, samples_done: int, lease_seconds: float) -> bool:
    """Report progress and keep the lease; False where the shard was taken over or the audit has ended."""
    live_audit = select(AuditRow.id).where(AuditRow.id == claim.audit_id, AuditRow.status.in_(LIVE)).exists()
    kept = session.execute(
        update(ShardRow)
        .where(*_held(claim), live_audit)
        .values(samples_done=samples_done, lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_seconds))
        .returning(ShardRow.id)
    ).one_or_none()
    return kept is not None


def save_scores(session: Session, claim: Claim, rows: list[dict[str, Any]]) -> bool:
    """Store the shard's scores and mark it done, both or neither; False where another attempt owns it now."""
    done = session.execute(
        update(ShardRow)
        .where(*_held(claim))
        .values(
            status=ShardStatus.DONE,
            samples_done=claim.stop - claim.start,
            lease_expires_at=None,
            finished_at=func.clock_timestamp(),
        )
        .returning(func.extract("epoch", ShardRow.finished_at - ShardRow.started_at).label("seconds"))
    ).one_or_none()
    if done is None:
        return False
    session.execute(insert(SampleScoresRow), rows)
    count_done(session, claim.shard_id, claim.stop - claim.start, float(done.seconds or 0))
    return True


def release_shard(session: Session, claim: Claim) -> None:
    """Give the shard back to the queue after a passing fault."""
    session.execute(
        update(ShardRow).where(*_held(claim)).values(status=ShardStatus.QUEUED, lease_expires_at=None, samples_done=0)
    )


def all_shards_done(session: Session, audit_id: UUID) -> bool:
    """Whether the audit can be reduced."""
    waiting = select(ShardRow.id).where(ShardRow.audit_id == audit_id, ShardRow.status != ShardStatus.DONE)
    return session.execute(waiting.limit(1)).one_or_none() is None


def fail_audit(session: Session, audit_id: UUID, problem: dict[str, str]) -> None:
    """End a live audit with a reason; an audit that has ended keeps its end."""
    session.execute(
        update(AuditRow)
        .where(AuditRow.id == audit_id, AuditRow.status.in_(LIVE))
        .values(status=AuditStatus.FAILED, problem=problem, finished_at=func.clock_timestamp())
    )


@dataclass(frozen=True)
class AuditInputs:
    """An audit with its data set and its models, in the order of their ordinals."""

    audit: AuditRow
    dataset: DatasetRow
    models: tuple[ModelRow, ...]


def read_inputs(session: Session, audit_id: UUID) -> AuditInputs:
    audit = session.get_one(AuditRow, audit_id)
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id)
    models = session.scalars(query.order_by(AuditModelRow.ordinal)).all()
    return AuditInputs(audit, session.get_one(DatasetRow, audit.dataset_id), tuple(models))


def read_samples(session: Session, audit: AuditRow, start: int, stop: int) -> list[SampleRow]:
    """The audit's samples of ordinals [start, stop), in order."""
    in_dataset = SampleRow.dataset_id == audit.dataset_id
    positions = range(start, stop) if audit.sample_positions is None else audit.sample_positions[start:stop]
    chosen = SampleRow.position.in_(positions)
    return list(session.scalars(select(SampleRow).where(in_dataset, chosen).order_by(SampleRow.position)))


def _held(claim: Claim) -> tuple[Any, ...]:
    return (
        ShardRow.id == claim.shard_id,
        ShardRow.attempt == claim.attempt,
        ShardRow.status == ShardStatus.RUNNING,
    )
