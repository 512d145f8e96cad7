"""Checks a request for an audit and writes the audit with its shards; never commits."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.audits.planning.gating import frozen_gate
from app.audits.planning.given_maps import check_images, check_map_sets, with_agreement, without_models
from app.audits.planning.samples import check_group_by, choose_samples, cluster_column
from app.audits.planning.shards import Work, estimated_seconds, shard_ranges
from app.audits.planning.target_layers import possible_methods, target_layer
from app.audits.planning.turns import notes_on_turns, with_views_that_exist
from app.audits.planning.twins import have_twins, notes_on_twins
from app.audits.repository import lock_dataset, worker_known
from app.audits.schemas import AuditRequest
from app.db.identifiers import new_id
from app.db.locking import lock_all
from app.db.tables import (
    AuditMapSetRow,
    AuditModelRow,
    AuditRow,
    AuditUsageRow,
    DatasetRow,
    MapSetRow,
    ModelRow,
    ShardRow,
)
from app.domain.cam_methods import why_not
from app.domain.fidelity import Fidelity, FidelityStatus
from app.domain.label_mapping import LabelMapping
from app.domain.measures import AGREEMENT, CLASS_SEPARATION, PAIRINGS, SANITY, MeasureSpec
from app.domain.outputs import Output
from app.domain.protocol import Protocol
from app.domain.refusals import METHOD_NOT_POSSIBLE, NOT_AS_DESCRIBED
from app.domain.subjects import subjects_of
from app.domain.vocabulary import (
    AuditStatus,
    CamMethod,
    DeviceClass,
    ModelFormat,
    OutputKind,
    ResourceStatus,
    SalienceTarget,
)
from app.errors import Conflict, Gone, Unprocessable
from app.observability.origin import present_origin
from app.results.inputs import NO_MODEL, class_count, label_mapping
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
    models = lock_all(session, ModelRow, _model_ids(session, request), "unknown-models")
    dataset = lock_dataset(session, request.dataset_id)
    map_sets = lock_all(session, MapSetRow, request.map_set_ids or [], "unknown-map-sets")
    _check_ready(models, dataset)
    check_map_sets(map_sets, dataset, models)
    asked = _resolve(request, models, map_sets)
    protocol = with_views_that_exist(asked, models, map_sets)
    check_images(protocol, map_sets, models)
    label_map = request.label_map if request.label_map is not None else dataset.label_map
    _check_classes(models, protocol)
    _check_labels(request, protocol, label_mapping(dataset, models[0], label_map) if models else NO_MODEL)
    _check_layers(models, protocol)
    _check_methods(models, protocol)
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


def _check_ready(models: list[ModelRow], dataset: DatasetRow) -> None:
    waiting = [str(model.id) for model in models if model.status != ResourceStatus.READY]
    if waiting:
        raise Conflict("model-not-ready", f"These models are not ready: {', '.join(waiting)}.")
    for model in models:
        _check_fidelity(model)
    if dataset.status != ResourceStatus.READY:
        raise Conflict("dataset-not-ready", f"The data set is {dataset.status}, not ready.")


def _check_fidelity(model: ModelRow) -> None:
    """A reference that a worker is still at may contradict the model."""
    fidelity = Fidelity.of(model.fidelity)
    if fidelity is None and model.reference_digest is not None:
        raise Conflict("model-not-ready", f"The reference of the model {model.id} is still being looked at.")
    if fidelity is not None and fidelity.status is FidelityStatus.CONTRADICTED:
        facts = {"model": model.id, "agreeing": fidelity.agreeing, "images": fidelity.images}
        detail = NOT_AS_DESCRIBED.detail(**facts, found=fidelity.suggestion or "")
        raise Conflict(NOT_AS_DESCRIBED.code, detail)


def _resolve(request: AuditRequest, models: list[ModelRow], map_sets: list[MapSetRow]) -> Protocol:
    """A pairing needs two models: left out where nobody asked for it, refused where somebody did."""
    is_asked_for = request.protocol.measures is not None
    protocol = with_agreement(request.protocol.resolve(), models, map_sets)
    if not models:
        protocol = without_models(protocol, map_sets, is_asked_for=is_asked_for)
    for spec in PAIRINGS:
        settings = spec.settings_in(protocol.measures)
        has_pairs = settings is not None and any(column.is_pairing for column in spec.columns(settings))
        if has_pairs and not _can_pair(spec, request, models, map_sets, protocol):
            protocol = protocol.without(spec.name)
    return protocol


def _can_pair(
    spec: MeasureSpec[Any],
    request: AuditRequest,
    models: list[ModelRow],
    map_sets: list[MapSetRow],
    protocol: Protocol,
) -> bool:
    is_asked_for = request.protocol.measures is not None
    if spec.name == AGREEMENT.name:
        return _methods_can_pair(models, protocol)
    if spec.name == SANITY.name:
        return have_twins(models, is_asked_for=is_asked_for)
    if spec.name == CLASS_SEPARATION.name or (not models and len(map_sets) > 1):
        return True
    if len(models) < 2:
        if is_asked_for:
            raise Unprocessable(f"{spec.name}-needs-two-models", f"{spec.title} compares two models or more.")
        return False
    layers = [target_layer(model, protocol) for model in models]
    if len({(layer.height, layer.width) for layer in layers}) > 1:
        if is_asked_for or request.run_group_id is not None:
            raise Unprocessable("map-sizes-differ", f"{spec.title} needs models whose salience maps have one size.")
        return False
    return True


def _methods_can_pair(models: list[ModelRow], protocol: Protocol) -> bool:
    """Agreement is computed only where it is asked for. Raises Unprocessable where it cannot be."""
    methods = protocol.salience.all_methods
    if len(methods) < 2:
        detail = (
            "Agreement compares the maps of several CAM methods, or of a model with map sets: name them in "
            "protocol.salience.methods or in map_set_ids."
        )
        raise Unprocessable("agreement-needs-two-methods", detail)
    for model in models:
        layers = [target_layer(model, subject.protocol(protocol)) for subject in subjects_of(protocol, 1)]
        if len({(layer.height, layer.width) for layer in layers}) > 1:
            raise Unprocessable("map-sizes-differ", "Agreement needs methods whose salience maps have one size.")
    return True


def _check_classes(models: list[ModelRow], protocol: Protocol) -> None:
    facts = {(class_count(model), tuple(model.class_names or ()), _labels(model)) for model in models}
    if len(facts) > 1:
        raise Unprocessable("model-classes-differ", "The models of an audit must have the same classes.")
    target = protocol.salience.target
    count = class_count(models[0]) if models else 0
    if models and isinstance(target, int) and target >= count:
        raise Unprocessable("target-out-of-range", f"The models have {count} classes, numbered from 0.")


def _labels(model: ModelRow) -> float | None:
    """Of independent labels the threshold, which decides about flips."""
    output = Output.of(model.output)
    return output.threshold if output.kind is OutputKind.MULTILABEL else None


def _check_labels(request: AuditRequest, protocol: Protocol, mapping: LabelMapping) -> None:
    """A map that the request itself gives has to lead somewhere; without one there is no performance."""
    needed = protocol.salience.target is SalienceTarget.LABEL or request.label_map is not None
    if mapping.indices is None and needed:
        raise Unprocessable("labels-do-not-meet-classes", mapping.reason or "")


def _check_layers(models: list[ModelRow], protocol: Protocol) -> None:
    wanted = protocol.salience.target_layer
    for model in models:
        probe = model.probe or {}
        names = {layer["name"] for layer in probe["candidate_layers"]} | {probe["target_layer"]}
        if wanted is not None and wanted not in names:
            detail = f"The model {model.id} has no layer of that name with a feature map; see candidate_layers."
            raise Unprocessable("target-layer-not-found", detail)


def _check_methods(models: list[ModelRow], protocol: Protocol) -> None:
    """Some methods suppose a form of network, and a graph has no gradients of inner tensors: probes say what can be
    done. Raises Unprocessable for the first model that is none for one of the methods, with those that all models have.
    """
    possible = [possible_methods(model, protocol) for model in models]
    for method, (model, of_model) in product(protocol.salience.all_methods, zip(models, possible, strict=True)):
        if method not in of_model:
            detail = METHOD_NOT_POSSIBLE.detail(
                method=method,
                model=f"the model {model.id} ({model.name})",
                why=why_not(method, is_graph=model.format == ModelFormat.ONNX),
                possible=tuple(each for each in CamMethod if all(each in of_one for of_one in possible)),
            )
            raise Unprocessable(METHOD_NOT_POSSIBLE.code, detail)


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
    if audit.status in {AuditStatus.QUEUED, AuditStatus.RUNNING}:
        audit.cancel_requested, audit.status = True, AuditStatus.CANCELLED
        audit.finished_at = session.scalar(func.clock_timestamp())
        tell(session, audit.tenant_id, audit_cancelled(audit))


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


def check_kept(audit: AuditRow, *, maps: bool = False) -> None:
    """Raises Gone where housekeeping removed the scores (or the maps) of an audit that ended long ago."""
    if audit.scores_removed_at is not None:
        raise Gone("scores-removed", "The scores per sample were removed as old; the results are still there.")
    if maps and audit.maps_removed_at is not None:
        raise Gone("maps-removed", "The salience maps were removed as old; scores and results are still there.")
