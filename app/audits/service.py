"""Checks a request for an audit and writes the audit with its shards; never commits."""

import hashlib
import json
import random
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.repository import find_by_key, lock_dataset, lock_models
from app.audits.schemas import AuditRequest
from app.db.identifiers import new_id
from app.db.tables import AuditModelRow, AuditRow, DatasetRow, ModelRow, ShardRow
from app.domain.label_mapping import map_labels
from app.domain.protocol import Protocol
from app.domain.vocabulary import AuditStatus, ResourceStatus, SalienceTarget
from app.errors import Conflict, Unprocessable
from app.observability.origin import present_origin
from app.run_groups.repository import get_run_group, members_of
from app.settings import Settings


@dataclass(frozen=True)
class Requested:
    """The audit of a request: a new one with its shards, or the one that the same key made before."""

    audit: AuditRow
    shard_ids: list[UUID]


def request_audit(session: Session, request: AuditRequest, settings: Settings, key: str | None) -> Requested:
    """Raises Unprocessable, Conflict or NotFound where the audit could not succeed."""
    digest = hashlib.sha256(json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    earlier = None if key is None else find_by_key(session, key)
    if earlier is not None:
        if earlier.request_digest != digest:
            raise Unprocessable("idempotency-key-reused", "The Idempotency-Key was used with another body.")
        return Requested(earlier, [])
    models = lock_models(session, _model_ids(session, request))
    dataset = lock_dataset(session, request.dataset_id)
    _check_ready(models, dataset)
    protocol = _resolve(request, models)
    _check_classes(models, dataset, protocol)
    _check_layers(models, protocol)
    audit = _audit(request, dataset, protocol)
    audit.idempotency_key, audit.request_digest = key, digest
    session.add(audit)
    session.flush()
    session.add_all(
        AuditModelRow(audit_id=audit.id, ordinal=ordinal, model_id=model.id) for ordinal, model in enumerate(models)
    )
    shards = _shards(audit, settings.shard_samples)
    session.add_all(shards)
    session.flush()
    session.refresh(audit)
    return Requested(audit, [shard.id for shard in shards])


def _model_ids(session: Session, request: AuditRequest) -> list[UUID]:
    if request.run_group_id is None:
        return request.model_ids or []
    group = get_run_group(session, request.run_group_id)
    return members_of(session, [group.id])[group.id]


def _check_ready(models: list[ModelRow], dataset: DatasetRow) -> None:
    waiting = [str(model.id) for model in models if model.status != ResourceStatus.READY]
    if waiting:
        raise Conflict("model-not-ready", f"These models are not ready: {', '.join(waiting)}.")
    if dataset.status != ResourceStatus.READY:
        raise Conflict("dataset-not-ready", f"The data set is {dataset.status}, not ready.")


def _resolve(request: AuditRequest, models: list[ModelRow]) -> Protocol:
    """Stability needs two models: left out where nobody asked for it, refused where somebody did."""
    protocol = request.protocol.resolve()
    if protocol.measures.stability is None:
        return protocol
    if len(models) < 2:
        if request.protocol.measures is not None:
            raise Unprocessable("stability-needs-two-models", "Stability compares two models or more.")
        return protocol.without_stability()
    sizes = {(model.probe["map_height"], model.probe["map_width"]) for model in models if model.probe}
    if len(sizes) > 1 and protocol.salience.target_layer is None:
        if request.protocol.measures is not None or request.run_group_id is not None:
            raise Unprocessable("map-sizes-differ", "Stability needs models whose salience maps have one size.")
        return protocol.without_stability()
    return protocol


def _check_classes(models: list[ModelRow], dataset: DatasetRow, protocol: Protocol) -> None:
    facts = {(class_count(model), tuple(model.class_names or ())) for model in models}
    if len(facts) > 1:
        raise Unprocessable("model-classes-differ", "The models of an audit must have the same classes.")
    count = class_count(models[0])
    target = protocol.salience.target
    if isinstance(target, int) and target >= count:
        raise Unprocessable("target-out-of-range", f"The models have {count} classes, numbered from 0.")
    mapping = map_labels(dataset.labels, models[0].class_names, count)
    if target is SalienceTarget.LABEL and mapping.indices is None:
        raise Unprocessable("labels-do-not-meet-classes", mapping.reason or "")


def _check_layers(models: list[ModelRow], protocol: Protocol) -> None:
    wanted = protocol.salience.target_layer
    for model in models:
        probe = model.probe or {}
        names = {layer["name"] for layer in probe["candidate_layers"]} | {probe["target_layer"]}
        if wanted is not None and wanted not in names:
            detail = f"The model {model.id} has no layer of that name with a feature map; see candidate_layers."
            raise Unprocessable("target-layer-not-found", detail)


def class_count(model: ModelRow) -> int:
    """Classes that the probe found."""
    return int((model.probe or {})["classes"])


def _audit(request: AuditRequest, dataset: DatasetRow, protocol: Protocol) -> AuditRow:
    limit = request.sample_limit
    positions = None
    if limit is not None and limit < dataset.sample_count:
        positions = sorted(random.Random(protocol.seed).sample(range(dataset.sample_count), limit))  # noqa: S311
    return AuditRow(
        id=new_id(),
        name=request.name,
        status=AuditStatus.QUEUED,
        dataset_id=dataset.id,
        run_group_id=request.run_group_id,
        protocol=protocol.to_json(),
        protocol_digest=protocol.digest(),
        sample_positions=positions,
        sample_count=dataset.sample_count if positions is None else len(positions),
        origin=present_origin(),
        cancel_requested=False,
    )


def _shards(audit: AuditRow, size: int) -> list[ShardRow]:
    """Contiguous ranges of the audit's samples."""
    return [
        ShardRow(
            id=new_id(), audit_id=audit.id, ordinal=ordinal, start=start, stop=min(start + size, audit.sample_count)
        )
        for ordinal, start in enumerate(range(0, audit.sample_count, size))
    ]


def cancel(audit: AuditRow) -> None:
    """Workers notice at their next heart-beat; an audit that has ended stays as it is."""
    if audit.status in {AuditStatus.QUEUED, AuditStatus.RUNNING}:
        audit.cancel_requested, audit.status = True, AuditStatus.CANCELLED


def check_finished(audit: AuditRow) -> None:
    """Raises Conflict unless there are results."""
    if audit.status == AuditStatus.FAILED:
        raise Conflict("audit-failed", f"The audit failed: {(audit.problem or {}).get('code')}.")
    if audit.status == AuditStatus.CANCELLED:
        raise Conflict("audit-cancelled", "The audit was cancelled.")
    if audit.status != AuditStatus.SUCCEEDED:
        raise Conflict("audit-not-finished", f"The audit is {audit.status}.")


def check_ended(audit: AuditRow) -> None:
    """Raises Conflict while it runs."""
    if audit.status in {AuditStatus.QUEUED, AuditStatus.RUNNING}:
        raise Conflict("audit-not-finished", f"The audit is {audit.status}; cancel it first.")
