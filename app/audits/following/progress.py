"""How far audits got and how fast they go, from their shards, on the database's clock."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Float, case, cast, func, select
from sqlalchemy.orm import Session

from app.audits.schemas import Progress
from app.db.presence import missing_worker, workers_present
from app.db.tables import AuditRow, Json, ShardRow
from app.domain.vocabulary import LIVE, AuditStatus, DeviceClass, ShardStatus

WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Snapshot:
    """An audit at one moment; ``attempts`` counts how often its shards were claimed."""

    audit_id: UUID
    status: AuditStatus
    problem: Json | None
    attempts: int
    progress: Progress
    missing: str | None = None
    """What to tell where no worker is there that could go on with it."""

    @property
    def standing(self) -> tuple[AuditStatus, int, int, str | None]:
        """What watchers are told of as it changes."""
        return self.status, self.attempts, self.progress.done, self.missing


def read_snapshots(session: Session, audit_ids: Sequence[UUID]) -> dict[UUID, Snapshot]:
    """Of those audits that exist, in one query, and one for the workers where any waits or runs."""
    shard, audit = ShardRow, AuditRow
    query = (
        select(
            audit.id,
            audit.status,
            audit.problem,
            audit.device_class,
            audit.sample_count,
            audit.started_at,
            audit.finished_at,
            func.coalesce(func.sum(shard.samples_done), 0).label("done"),
            func.coalesce(func.sum(shard.attempt), 0).label("attempts"),
            func.coalesce(func.sum(_recent_samples()), 0.0).label("recent"),
            func.clock_timestamp().label("now"),
        )
        .outerjoin(shard, shard.audit_id == audit.id)
        .where(audit.id.in_(audit_ids))
        .group_by(audit.id)
    )
    found = session.execute(query).all()
    present = workers_present(session) if any(row.status in LIVE for row in found) else None
    return {row.id: _snapshot(row, present) for row in found}


def _recent_samples() -> Any:
    """Of one shard, the samples within the window, taking its speed as even.

    The speed of a running shard is known up to its last heart-beat and assumed since. An expired lease counts nothing,
    nor does what a lost attempt did: its samples are to be done again.
    """
    shard, now = ShardRow, func.clock_timestamp()
    done = shard.status == ShardStatus.DONE
    live = (shard.status == ShardStatus.RUNNING) & (shard.lease_expires_at > now)
    duration = func.nullif(_seconds(shard.updated_at - shard.claimed_at), 0)
    end = case((done, shard.updated_at), (live, now))
    begin = func.greatest(shard.claimed_at, now - WINDOW)
    overlap = func.greatest(_seconds(end - begin), 0)
    return case((shard.samples_done > 0, cast(shard.samples_done, Float) * overlap / duration), else_=0.0)


def _seconds(interval: Any) -> Any:
    return cast(func.extract("epoch", interval), Float)


def _snapshot(row: Any, present: Counter[DeviceClass] | None) -> Snapshot:
    status, done = AuditStatus(row.status), int(row.done)
    speed = _speed(row.started_at, row.finished_at or row.now, row.recent if row.finished_at is None else None, done)
    remaining = row.sample_count - done
    eta = None
    if status == AuditStatus.RUNNING and (speed or not remaining):
        eta = remaining / speed if speed else 0.0
    progress = Progress(done=done, total=row.sample_count, samples_per_second=speed, eta_seconds=eta)
    missing = None if present is None or status not in LIVE else missing_worker(present, row.device_class)
    return Snapshot(row.id, status, row.problem, int(row.attempts), progress, missing)


def _speed(started: datetime | None, until: datetime, recent: float | None, done: int) -> float | None:
    """Of all workers together: in the last minute while it runs, over the whole time when it has ended."""
    if started is None or not done:
        return None
    seconds = (until - started).total_seconds()
    samples = float(done)
    if recent is not None:
        samples, seconds = recent, min(seconds, WINDOW.total_seconds())
    return samples / seconds if seconds > 0 else None
