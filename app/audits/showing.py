"""Audits as the API shows them."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.following.progress import Snapshot, read_snapshots
from app.audits.repository import map_set_ids_of, model_ids_of
from app.audits.schemas import Audit, Progress
from app.db.tables import AuditRow
from app.gates.schemas import ConditionOutcome, FrozenGate
from app.http.links import link
from app.http.schemas import StoredProblem

AS_STORED = (
    "id", "name", "tags", "status", "dataset_id", "run_group_id", "protocol", "protocol_digest", "device_class",
    "replanned", "split", "stratify", "label_map", "group_by", "cluster", "sample_count", "created_at",
    "started_at", "finished_at", "scores_removed_at", "maps_removed_at",
)  # fmt: skip
"""What of an audit is shown as its row has it."""


def shown_audits(session: Session, rows: Any) -> list[Audit]:
    ids = [row.id for row in rows]
    models, map_sets = model_ids_of(session, ids), map_set_ids_of(session, ids)
    found = read_snapshots(session, ids)
    return [_one(row, models[row.id], map_sets[row.id], found.get(row.id) or _deleted(row)) for row in rows]


def _deleted(row: AuditRow) -> Snapshot:
    """A moment ago."""
    progress = Progress(done=0, total=row.sample_count, samples_per_second=None, eta_seconds=None)
    return Snapshot(row.id, row.status, row.problem, 0, progress)


def _one(row: AuditRow, model_ids: list[UUID], map_set_ids: list[UUID], now: Snapshot) -> Audit:
    return Audit(
        description=row.about,
        metadata=row.extra,
        model_ids=model_ids,
        map_set_ids=map_set_ids,
        progress=now.progress,
        notes=[*row.notes, *([now.missing] if now.missing else [])],
        problem=StoredProblem.of(row.problem),
        gate=None if row.gate is None else FrozenGate(**row.gate),
        verdict=row.verdict and row.verdict["verdict"],
        conditions=row.verdict and [ConditionOutcome.model_validate(one) for one in row.verdict["conditions"]],
        results_url=link(f"/v1/audits/{row.id}/results"),
        report_url=link(f"/v1/audits/{row.id}/report"),
        **{name: getattr(row, name) for name in AS_STORED},
    )
