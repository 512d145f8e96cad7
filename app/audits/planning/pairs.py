"""The protocol of an audit: of what compares maps two by two, that for which there are two."""

from typing import Any

from app.audits.planning.given_maps import with_agreement, without_models
from app.audits.planning.target_layers import target_layer
from app.audits.planning.twins import have_twins
from app.audits.schemas import AuditRequest
from app.db.tables import MapSetRow, ModelRow
from app.domain.measures import AGREEMENT, CLASS_SEPARATION, PAIRINGS, SANITY, MeasureSpec
from app.domain.problems import planning
from app.domain.protocol import Protocol


def resolved(request: AuditRequest, models: list[ModelRow], map_sets: list[MapSetRow]) -> Protocol:
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
        return _methods_can_pair(protocol)
    if spec.name == SANITY.name:
        return have_twins(models, is_asked_for=is_asked_for)
    if spec.name == CLASS_SEPARATION.name or (not models and len(map_sets) > 1):
        return True
    if len(models) < 2:
        if is_asked_for:
            raise planning.needs_two_models(spec.name).error(measure=spec.title)
        return False
    layers = [target_layer(model, protocol) for model in models]
    if len({(layer.height, layer.width) for layer in layers}) > 1:
        if is_asked_for or request.run_group_id is not None:
            raise planning.MAP_SIZES_DIFFER.error(measure=spec.title)
        return False
    return True


def _methods_can_pair(protocol: Protocol) -> bool:
    """Agreement is computed only where it is asked for. Raises Unprocessable where it cannot be."""
    if len(protocol.salience.all_methods) < 2:
        raise planning.AGREEMENT_NEEDS_TWO.error()
    return True
