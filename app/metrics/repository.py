"""SQL of the scrape. No query reads scores; none grows with anything but shards and audits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import extract, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.counters import Tally, totals
from app.db.tables import AuditRow, DatasetRow, GpuReportRow, ModelRow, ShardRow
from app.domain.vocabulary import LIVE, AuditStatus, ResourceStatus, ShardStatus

SPEED_WINDOW_SECONDS = 60
REPORT_VALID_SECONDS = 60


@dataclass(frozen=True)
class Snapshot:
    """The service at one moment, the same for every API process that asks."""

    audits: Mapping[str, int]
    models: Mapping[str, int]
    datasets: Mapping[str, int]
    shards: Mapping[str, int]
    oldest_wait_seconds: float
    samples_per_second: float
    totals: Mapping[tuple[Tally, str], float]
    busy_workers: int
    gpus: Sequence[GpuReportRow]


def read_snapshot(session: Session) -> Snapshot:
    """One short transaction."""
    return Snapshot(
        audits=_by_status(session, AuditRow.status, AuditStatus),
        models=_by_status(session, ModelRow.status, ResourceStatus),
        datasets=_by_status(session, DatasetRow.status, ResourceStatus),
        shards=_by_status(session, ShardRow.status, ShardStatus),
        oldest_wait_seconds=_oldest_wait(session),
        samples_per_second=_samples_per_second(session),
        totals=totals(session),
        busy_workers=_busy_workers(session),
        gpus=_gpus(session),
    )


def _by_status(session: Session, column: InstrumentedAttribute[Any], statuses: type[StrEnum]) -> dict[str, int]:
    """Every status, though none may have it. Audits and shards are counted from the index of their status."""
    counted = session.execute(select(column, func.count()).group_by(column))
    return {str(status): 0 for status in statuses} | {str(status): number for status, number in counted}


def _oldest_wait(session: Session) -> float:
    """Seconds since the oldest live audit that still has a queued shard was accepted; 0 where none waits."""
    with_waiting = select(ShardRow.audit_id).where(ShardRow.status == ShardStatus.QUEUED)
    waited = func.clock_timestamp() - func.min(AuditRow.created_at)
    query = select(extract("epoch", waited)).where(AuditRow.status.in_(LIVE), AuditRow.id.in_(with_waiting))
    return float(session.scalar(query) or 0)


def _samples_per_second(session: Session) -> float:
    """Over the last minute: of each shard the share of its samples that fell into it, if they came evenly."""
    now = func.clock_timestamp()
    window_start = now - func.make_interval(0, 0, 0, 0, 0, 0, SPEED_WINDOW_SECONDS)
    ended = func.coalesce(ShardRow.finished_at, now)
    inside = extract("epoch", ended - func.greatest(ShardRow.claimed_at, window_start))
    whole = func.greatest(extract("epoch", ended - ShardRow.claimed_at), 0.001)
    share = func.sum(ShardRow.samples_done * inside / whole)
    done = (ShardRow.status == ShardStatus.DONE) & (ShardRow.finished_at > window_start)
    running = (ShardRow.status == ShardStatus.RUNNING) & (ShardRow.lease_expires_at > now)
    shares = [session.scalar(select(share).where(chosen)) for chosen in (done, running)]
    return sum(float(found or 0) for found in shares) / SPEED_WINDOW_SECONDS


def _busy_workers(session: Session) -> int:
    """Workers that hold a shard under a live lease."""
    held = (ShardRow.status == ShardStatus.RUNNING) & (ShardRow.lease_expires_at > func.clock_timestamp())
    return session.scalar(select(func.count(ShardRow.worker.distinct())).where(held)) or 0


def _gpus(session: Session) -> Sequence[GpuReportRow]:
    """As reported lately; a worker that is gone reports no more."""
    lately = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, REPORT_VALID_SECONDS)
    return session.scalars(
        select(GpuReportRow).where(GpuReportRow.seen_at > lately).order_by(GpuReportRow.worker)
    ).all()
