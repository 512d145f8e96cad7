"""The worker's SQL for shards: claim, plan, heart-beat, save. Every write is fenced by the attempt number."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.db.session import write_for
from app.db.tables import (
    AuditMapSetRow,
    AuditModelRow,
    AuditRow,
    DatasetRow,
    MapSetRow,
    ModelRow,
    SampleRow,
    SampleScoresRow,
    ShardRow,
)
from app.domain.vocabulary import LIVE, AuditStatus, DeviceClass, ShardStatus
from app.results.inputs import AuditInputs
from app.webhooks.events import audit_failed
from app.webhooks.outbox import tell
from worker.shards.counts import charge, count_claim, count_done
from worker.shards.fair_order import audits_in_fair_order, is_free
from worker.shards.pinning import note_processor, settle

_SAVE_IDLE_SECONDS = 10


@dataclass(frozen=True)
class Claim:
    """A shard that this worker holds until its lease expires."""

    shard_id: UUID
    audit_id: UUID
    start: int
    stop: int
    attempt: int


def claim_next_shard(session: Session, device_class: DeviceClass, worker: str, lease_seconds: float) -> Claim | None:
    """The next shard in fair order, so that a long audit does not starve a short one; None where none waits.

    Tenants take turns, and so do the audits of each (worker.shards.fair_order). Within an audit the shards come in
    order.
    """
    for audit_id in audits_in_fair_order(session, device_class):
        if not settle(session, audit_id, device_class):
            continue
        shard_id = session.scalar(_first_free_shard(audit_id))
        claim = None if shard_id is None else claim_shard(session, shard_id, worker, lease_seconds)
        if claim is not None:
            note_processor(session, audit_id, device_class)
            return claim
    return None


def _first_free_shard(audit_id: UUID) -> Select[UUID]:
    """Two workers that look at the same time get two shards."""
    query = select(ShardRow.id).where(ShardRow.audit_id == audit_id, is_free()).order_by(ShardRow.ordinal).limit(1)
    return query.with_for_update(skip_locked=True)


def claim_shard(session: Session, shard_id: UUID, worker: str, lease_seconds: float) -> Claim | None:
    """Compare and set on the database's clock; None where it is done, held by a live lease or its audit has ended."""
    live_audit = select(AuditRow.id).where(AuditRow.id == ShardRow.audit_id, AuditRow.status.in_(LIVE)).exists()
    now = func.clock_timestamp()
    claimed = session.execute(
        update(ShardRow)
        .where(ShardRow.id == shard_id, is_free(), live_audit)
        .values(
            status=ShardStatus.RUNNING,
            attempt=ShardRow.attempt + 1,
            worker=worker,
            samples_done=0,
            claimed_at=now,
            finished_at=None,
            lease_expires_at=now + timedelta(seconds=lease_seconds),
            taken_over=ShardRow.status == ShardStatus.RUNNING,
        )
        .returning(ShardRow.audit_id, ShardRow.start, ShardRow.stop, ShardRow.attempt, ShardRow.taken_over)
    ).one_or_none()
    if claimed is None:
        return None
    session.execute(
        update(AuditRow)
        .where(AuditRow.id == claimed.audit_id, AuditRow.status == AuditStatus.QUEUED)
        .values(status=AuditStatus.RUNNING, started_at=func.clock_timestamp())
    )
    count_claim(session, shard_id, claimed.attempt, taken_over=claimed.taken_over)
    return Claim(shard_id, claimed.audit_id, claimed.start, claimed.stop, claimed.attempt)


def extend_lease(session: Session, claim: Claim, samples_done: int, lease_seconds: float) -> bool:
    """Report progress and keep the lease; False where the shard was taken over or the audit has ended."""
    live_audit = select(AuditRow.id).where(AuditRow.id == claim.audit_id, AuditRow.status.in_(LIVE)).exists()
    kept = session.execute(
        update(ShardRow)
        .where(*held(claim), live_audit)
        .values(samples_done=samples_done, lease_expires_at=func.clock_timestamp() + timedelta(seconds=lease_seconds))
        .returning(ShardRow.id)
    ).one_or_none()
    return kept is not None


def save_scores(session: Session, claim: Claim, rows: list[dict[str, Any]]) -> bool:
    """Store the shard's scores and mark it done, both or neither; False where another attempt owns it now."""
    # Where the line is cut before the COMMIT, Postgres may not hear of it: nobody else could have the row's lock.
    session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_SAVE_IDLE_SECONDS}s'"))
    done = session.execute(
        update(ShardRow)
        .where(*held(claim))
        .values(
            status=ShardStatus.DONE,
            samples_done=claim.stop - claim.start,
            lease_expires_at=None,
            finished_at=func.clock_timestamp(),
        )
        .returning(
            func.extract("epoch", ShardRow.finished_at - ShardRow.claimed_at).label("seconds"), ShardRow.tenant_id
        )
    ).one_or_none()
    if done is None:
        return False
    write_for(session, done.tenant_id)
    session.execute(insert(SampleScoresRow), rows)
    seconds = float(done.seconds or 0)
    charge(session, claim.audit_id, seconds)
    count_done(session, claim.shard_id, claim.stop - claim.start, seconds)
    return True


def release_shard(session: Session, claim: Claim, *, counted: bool, pause_seconds: float = 0.0) -> bool:
    """Give the shard back to the queue; False where it is not this worker's any more.

    An attempt that does not count is given back too: its number may come again, since its owner writes no more. After
    a fault that may not have passed yet the shard pauses.
    """
    pause = func.clock_timestamp() + timedelta(seconds=pause_seconds) if pause_seconds else None
    released = session.execute(
        update(ShardRow)
        .where(*held(claim))
        .values(
            status=ShardStatus.QUEUED,
            lease_expires_at=pause,
            samples_done=0,
            attempt=ShardRow.attempt if counted else ShardRow.attempt - 1,
        )
        .returning(ShardRow.id)
    ).one_or_none()
    return released is not None


def all_shards_done(session: Session, audit_id: UUID) -> bool:
    """Whether the audit can be reduced."""
    waiting = select(ShardRow.id).where(ShardRow.audit_id == audit_id, ShardRow.status != ShardStatus.DONE)
    return session.execute(waiting.limit(1)).one_or_none() is None


def fail_audit(session: Session, audit_id: UUID, problem: dict[str, object]) -> None:
    """End a live audit with a reason; an audit that has ended keeps its end."""
    failed = session.scalar(
        update(AuditRow)
        .where(AuditRow.id == audit_id, AuditRow.status.in_(LIVE))
        .values(status=AuditStatus.FAILED, problem=problem, finished_at=func.clock_timestamp())
        .returning(AuditRow)
    )
    if failed is not None:
        tell(session, failed.tenant_id, audit_failed(failed, problem))


def read_inputs(session: Session, audit_id: UUID) -> AuditInputs:
    audit = session.get_one(AuditRow, audit_id)
    query = select(ModelRow).join(AuditModelRow).where(AuditModelRow.audit_id == audit_id)
    models = session.scalars(query.order_by(AuditModelRow.ordinal)).all()
    given = select(MapSetRow).join(AuditMapSetRow).where(AuditMapSetRow.audit_id == audit_id)
    map_sets = session.scalars(given.order_by(AuditMapSetRow.ordinal)).all()
    return AuditInputs(audit, session.get_one(DatasetRow, audit.dataset_id), tuple(models), tuple(map_sets))


def read_samples(session: Session, audit: AuditRow, start: int, stop: int) -> list[SampleRow]:
    """The audit's samples of ordinals [start, stop), in order."""
    in_dataset = SampleRow.dataset_id == audit.dataset_id
    positions = range(start, stop) if audit.sample_positions is None else audit.sample_positions[start:stop]
    chosen = SampleRow.position.in_(positions)
    return list(session.scalars(select(SampleRow).where(in_dataset, chosen).order_by(SampleRow.position)))


def held(claim: Claim) -> tuple[Any, ...]:
    """The fence: this attempt runs, and no later one does."""
    return (
        ShardRow.id == claim.shard_id,
        ShardRow.attempt == claim.attempt,
        ShardRow.status == ShardStatus.RUNNING,
    )
