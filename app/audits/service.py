"""Checks a request for an audit and writes the audit with its shards; never commits."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.audits.planning.checks import check_classes, check_labels, check_layers, check_methods, check_ready
from app.audits.planning.gating import frozen_gate
from app.audits.planning.given_maps import check_images, check_map_sets
from app.audits.planning.looks import explained_labels
from app.audits.planning.pairs import resolved
from app.audits.planning.samples import check_group_by, choose_samples, cluster_column
from app.audits.planning.shards import Work, estimated_seconds, shard_ranges
from app.audits.planning.turns import notes_on_turns, with_views_that_exist
from app.audits.planning.twins import notes_on_twins
from app.audits.repository import lock_dataset, worker_known
from app.audits.schemas import AuditRequest
from app.db.identifiers import new_id
from app.db.locking import lock_all
from app.db.tables import (
    AuditMapSetRow,
    AuditModelRow,
    AuditRow,
    AuditUsageRow,
    MapSetRow,
    ModelRow,
    ShardRow,
)
from app.domain.problems.planning import UNKNOWN_MAP_SETS, UNKNOWN_MODELS
from app.domain.vocabulary import LIVE, AuditStatus, DeviceClass
from app.observability.origin import present_origin
from app.results.inputs import NO_MODEL, label_mapping
from app.run_groups.repository import get_run_group, members_of
from app.settings import Settings
from app.webhooks.events import audit_cancelled
from app.webhooks.outbox import tell


@dataclass(frozen=True)
class Requested:
    """A new audit, with that many shards."""

    audit: AuditRow
    new_shards: int


def request_audit(session: Session, request: AuditRequest, settings: Settings) -> Requested:
    """Raises Unprocessable, Conflict or NotFound where the audit could not succeed."""
    work = plan_work(session, request, settings)
    ranges = shard_ranges(work, settings)
    audit = _audit(request, work)
    audit.gate = frozen_gate(session, request, work.protocol)
    session.add(audit)
    session.flush()
    session.add_all(
        AuditModelRow(audit_id=audit.id, ordinal=ordinal, model_id=model.id)
        for ordinal, model in enumerate(work.models)
    )
    session.add_all(
        AuditMapSetRow(audit_id=audit.id, ordinal=ordinal, map_set_id=map_set.id)
        for ordinal, map_set in enumerate(work.map_sets)
    )
    shards = _shards(audit, ranges)
    session.add_all(shards)
    session.add(AuditUsageRow(audit_id=audit.id, reserved_seconds=estimated_seconds(work, ranges) or 0.0))
    session.flush()
    session.refresh(audit)
    return Requested(audit, len(shards))


def plan_work(session: Session, request: AuditRequest, settings: Settings) -> Work:
    """What a request comes to. Raises Unprocessable, Conflict or NotFound where the audit could not succeed."""
    models = lock_all(session, ModelRow, _model_ids(session, request), UNKNOWN_MODELS)
    dataset = lock_dataset(session, request.dataset_id)
    map_sets = lock_all(session, MapSetRow, request.map_set_ids or [], UNKNOWN_MAP_SETS)
    check_ready(models, dataset)
    check_map_sets(map_sets, dataset, models)
    asked = resolved(request, models, map_sets)
    protocol = with_views_that_exist(asked, models, map_sets)
    check_images(protocol, map_sets, models)
    label_map = request.label_map if request.label_map is not None else dataset.label_map
    check_classes(models, protocol)
    mapping = label_mapping(dataset, models[0], label_map) if models else NO_MODEL
    check_labels(request, protocol, mapping)
    check_layers(models, protocol)
    check_methods(models, protocol)
    check_group_by(session, request, dataset)
    cluster_column(request, dataset)
    chosen = choose_samples(session, request, dataset, protocol.seed)
    notes = [
        *notes_on_turns(asked, protocol, models, map_sets),
        *notes_on_twins(request.protocol.resolve(), protocol, models),
    ]
    return Work(
        models=models,
        map_sets=map_sets,
        dataset=dataset,
        protocol=protocol,
        chosen=replace(chosen, notes=[*chosen.notes, *notes]),
        label_map=label_map,
        device_class=_device_class(session, request, settings),
        labels=explained_labels(session, dataset, chosen, protocol, mapping),
    )


def _device_class(session: Session, request: AuditRequest, settings: Settings) -> DeviceClass:
    if request.device_class is not None:
        return request.device_class
    if settings.audit_device_class != "auto":
        return DeviceClass(settings.audit_device_class)
    return DeviceClass.GPU if worker_known(session, DeviceClass.GPU) else DeviceClass.CPU


def _model_ids(session: Session, request: AuditRequest) -> list[UUID]:
    if request.run_group_id is None:
        return request.model_ids or []
    group = get_run_group(session, request.run_group_id)
    return members_of(session, [group.id])[group.id]


def _audit(request: AuditRequest, work: Work) -> AuditRow:
    protocol = work.protocol
    return AuditRow(
        id=new_id(),
        name=request.name,
        about=request.description,
        extra=request.metadata,
        tags=request.tags,
        status=AuditStatus.QUEUED,
        dataset_id=work.dataset.id,
        run_group_id=request.run_group_id,
        protocol=protocol.to_json(),
        protocol_digest=protocol.digest(),
        device_class=work.device_class,
        sample_positions=work.chosen.positions,
        split=request.split,
        stratify=request.stratify,
        label_map=work.label_map,
        group_by=request.group_by,
        cluster=cluster_column(request, work.dataset),
        notes=work.chosen.notes,
        sample_count=work.samples,
        origin=present_origin(),
        cancel_requested=False,
    )


def _shards(audit: AuditRow, ranges: list[tuple[int, int]]) -> list[ShardRow]:
    return [
        ShardRow(id=new_id(), audit_id=audit.id, ordinal=ordinal, start=start, stop=stop)
        for ordinal, (start, stop) in enumerate(ranges)
    ]


def cancel(session: Session, audit: AuditRow) -> None:
    """Workers notice at their next heart-beat; an audit that has ended stays as it is."""
    if audit.status in LIVE:
        audit.cancel_requested, audit.status = True, AuditStatus.CANCELLED
        audit.finished_at = session.scalar(func.clock_timestamp())
        tell(session, audit.tenant_id, audit_cancelled(audit))
