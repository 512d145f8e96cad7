"""Map sets in an audit: whether they can be, and what the protocol then says of agreement with them."""

from collections.abc import Iterator, Sequence

from app.audits.planning.target_layers import target_layer
from app.db.tables import DatasetRow, MapSetRow, ModelRow
from app.domain.measures import AGREEMENT, SANITY
from app.domain.measures.agreement import AgreementSettings
from app.domain.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.similarities import SIMILARITIES, Similarity
from app.domain.vocabulary import Resize, ResourceStatus
from app.errors import Conflict, Unprocessable
from app.sources.addresses import LISTING


def check_map_sets(map_sets: Sequence[MapSetRow], dataset: DatasetRow, models: Sequence[ModelRow]) -> None:
    """Raises Conflict ``map-set-not-ready``; Unprocessable ``map-set-of-another-dataset``, ``frames-differ``."""
    waiting = [str(one.id) for one in map_sets if one.status != ResourceStatus.READY]
    if waiting:
        raise Conflict("map-set-not-ready", f"These map sets are not ready: {', '.join(waiting)}.")
    others = [str(one.id) for one in map_sets if one.dataset_id != dataset.id]
    if others:
        detail = f"These map sets are of another data set: {', '.join(others)}. Upload their maps for this one."
        raise Unprocessable("map-set-of-another-dataset", detail)
    if map_sets and len({_framing(model) for model in models}) > 1:
        detail = "The models see other parts of an image each, so that no map fits all of them: audit them one by one."
        raise Unprocessable("frames-differ", detail)
    cut = [model.name for model in models if _framing(model)[0] is not Resize.STRETCH]
    if map_sets and cut and (dataset.digest or "").startswith(LISTING):
        detail = f"How large these images are is not known, so that maps cannot be cut to what {cut[0]} sees of them."
        raise Unprocessable("frames-differ", f"{detail} Fetch them with by_reference false.")


def _framing(model: ModelRow) -> tuple[object, ...]:
    """What decides about the part of an image that it sees, and in which proportions."""
    spec = Preprocessing.of(model.preprocessing).spec
    if spec.resize is Resize.STRETCH:
        return (spec.resize,)
    return spec.size, spec.resize, spec.crop_offset


def with_agreement(protocol: Protocol, models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]) -> Protocol:
    """With what the audit's own models and map sets decide: whether methods are compared, and by which similarities
    maps with those of map sets."""
    asked = AGREEMENT.settings_in(protocol.measures)
    if asked is None:
        return protocol
    settings = AgreementSettings(
        similarities=(asked.similarities or tuple(_possible(protocol, models, map_sets))) if map_sets else (),
        methods=not map_sets or (bool(models) and len(protocol.salience.all_methods) > 1),
        map_sets=len(map_sets),
    )
    measures = protocol.measures.model_copy(update={AGREEMENT.name: settings})
    return protocol.model_copy(update={"measures": measures})


def _possible(protocol: Protocol, models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]) -> Iterator[Similarity]:
    """Those that every pair of maps allows, as far as that is known: EMD where all models' maps are small."""
    layers = [target_layer(model, protocol) for model in models]
    for similarity, spec in SIMILARITIES.items():
        if spec.of_fixations and not any(one.has_fixations for one in map_sets):
            continue
        if spec.most_cells is None or (layers and all(one.height * one.width <= spec.most_cells for one in layers)):
            yield similarity


def without_models(protocol: Protocol, map_sets: Sequence[MapSetRow], *, is_asked_for: bool) -> Protocol:
    """Those measures alone that maps give without a model. Raises Unprocessable ``measure-needs-model`` where another
    was asked for by name."""
    known = set.intersection(*({*one.views} for one in map_sets))
    for spec, settings in protocol.measures.computed():
        conditions = {view for column in spec.columns(settings) for view in column.conditions}
        if conditions <= known and not spec.needs_scores and spec.name != SANITY.name:
            continue
        if is_asked_for:
            detail = f"{spec.title} needs a model: name one beside the map sets, or leave the measure out."
            raise Unprocessable("measure-needs-model", detail)
        protocol = protocol.without(spec.name)
    return protocol
