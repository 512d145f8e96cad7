"""Whether models and data set of a request can be audited together."""

from itertools import product

from app.audits.planning.target_layers import possible_methods
from app.audits.schemas import AuditRequest
from app.db.tables import DatasetRow, ModelRow
from app.domain.maps.cam_methods import why_not
from app.domain.models.fidelity import Fidelity, FidelityStatus
from app.domain.models.outputs import Output
from app.domain.problems import planning
from app.domain.protocol import Protocol
from app.domain.refusals.use import METHOD_NOT_POSSIBLE, NOT_AS_DESCRIBED
from app.domain.samples.label_mapping import LabelMapping
from app.domain.vocabulary import CamMethod, ModelFormat, OutputKind, ResourceStatus, SalienceTarget
from app.errors import Conflict, Unprocessable
from app.results.inputs import class_count


def check_ready(models: list[ModelRow], dataset: DatasetRow) -> None:
    waiting = [str(model.id) for model in models if model.status != ResourceStatus.READY]
    if waiting:
        raise planning.MODELS_NOT_READY.error(ids=", ".join(waiting))
    for model in models:
        _check_fidelity(model)
    if dataset.status != ResourceStatus.READY:
        raise planning.DATASET_NOT_READY.error(status=dataset.status)


def _check_fidelity(model: ModelRow) -> None:
    """A reference that a worker is still at may contradict the model."""
    fidelity = Fidelity.of(model.fidelity)
    if fidelity is None and model.reference_digest is not None:
        raise planning.REFERENCE_NOT_READ.error(id=model.id)
    if fidelity is not None and fidelity.status is FidelityStatus.CONTRADICTED:
        facts = {"model": model.id, "agreeing": fidelity.agreeing, "images": fidelity.images}
        detail = NOT_AS_DESCRIBED.detail(**facts, found=fidelity.suggestion or "")
        raise Conflict(NOT_AS_DESCRIBED.code, detail)


def check_classes(models: list[ModelRow], protocol: Protocol) -> None:
    facts = {(class_count(model), tuple(model.class_names or ()), _labels(model)) for model in models}
    if len(facts) > 1:
        raise planning.CLASSES_DIFFER.error()
    target = protocol.salience.target
    count = class_count(models[0]) if models else 0
    if models and isinstance(target, int) and target >= count:
        raise planning.TARGET_OUT_OF_RANGE.error(count=count)


def _labels(model: ModelRow) -> float | None:
    """Of independent labels the threshold, which decides about flips."""
    output = Output.of(model.output)
    return output.threshold if output.kind is OutputKind.MULTILABEL else None


def check_labels(request: AuditRequest, protocol: Protocol, mapping: LabelMapping) -> None:
    """A map that the request itself gives has to lead somewhere; without one there is no performance."""
    needed = protocol.salience.target is SalienceTarget.LABEL or request.label_map is not None
    if mapping.indices is None and needed:
        raise planning.LABELS_DO_NOT_MEET.error(why=mapping.reason or "")


def check_layers(models: list[ModelRow], protocol: Protocol) -> None:
    wanted = protocol.salience.target_layer
    for model in models:
        probe = model.probe or {}
        names = {layer["name"] for layer in probe["candidate_layers"]} | {probe["target_layer"]}
        if wanted is not None and wanted not in names:
            raise planning.LAYER_NOT_FOUND.error(id=model.id)


def check_methods(models: list[ModelRow], protocol: Protocol) -> None:
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
