"""Map sets in an audit: whether they can be, and what the protocol then says of agreement with them."""

from collections.abc import Iterator, Sequence

from app.audits.planning.target_layers import target_layer
from app.db.tables import DatasetRow, MapSetRow, ModelRow
from app.domain.audits.changed_images import made_by
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.measures import AGREEMENT
from app.domain.measures.agreement import AgreementSettings
from app.domain.models.input_size import Size, size_of
from app.domain.models.preprocessing import Preprocessing
from app.domain.problems import map_sets as problems
from app.domain.protocol import Protocol
from app.domain.vocabulary import Resize, ResourceStatus
from app.results.inputs import seen_by, views_of
from app.sources.addresses import listed_dataset


def check_map_sets(map_sets: Sequence[MapSetRow], dataset: DatasetRow, models: Sequence[ModelRow]) -> None:
    """Raises Conflict ``map-set-not-ready``; Unprocessable ``map-set-of-another-dataset``, ``frames-differ`` and
    ``input-sizes-differ``."""
    # Before the maps of handed out images are made, an audit has to hand them out.
    waiting = [str(one.id) for one in map_sets if one.status != ResourceStatus.READY and not _awaits_images(one)]
    if waiting:
        raise problems.NOT_READY.error(ids=", ".join(waiting))
    others = [str(one.id) for one in map_sets if one.dataset_id != dataset.id]
    if others:
        raise problems.OF_ANOTHER_DATASET.error(ids=", ".join(others))
    _check_sizes(map_sets, models)
    if map_sets and len({_framing(model) for model in models}) > 1:
        raise problems.FRAMES_DIFFER.error()
    cut = [model.name for model in models if _framing(model)[0] is not Resize.STRETCH]
    if map_sets and cut and listed_dataset(dataset.stored_digest or "") is not None:
        raise problems.SIZES_UNKNOWN.error(model=cut[0])


def check_images(protocol: Protocol, map_sets: Sequence[MapSetRow], models: Sequence[ModelRow]) -> None:
    """Raises Unprocessable ``maps-of-other-images`` where maps are of images that this audit would not hand out."""
    for one in map_sets:
        seen = seen_by(models, [one])
        if one.made is not None and seen is not None and one.made != made_by(protocol, seen.spec):
            raise problems.OF_OTHER_IMAGES.error(id=one.id)


def _awaits_images(map_set: MapSetRow) -> bool:
    return map_set.input_size is not None and map_set.status == ResourceStatus.AWAITING_CONTENT


def _check_sizes(map_sets: Sequence[MapSetRow], models: Sequence[ModelRow]) -> None:
    """Maps of handed out images are of the size that the audit's images have."""
    sizes = {size_of(model.preprocessing["input_size"]): f"the model {model.id}" for model in models}
    sizes |= {Size(*one.input_size): f"the map set {one.id}" for one in map_sets if one.input_size is not None}
    if len(sizes) > 1 and any(one.input_size is not None for one in map_sets):
        told = ", ".join(f"{size} of {whose}" for size, whose in sizes.items())
        raise problems.INPUT_SIZES_DIFFER.error(sizes=told)


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
    known = set.intersection(*({*views_of(protocol, one)} for one in map_sets))
    for spec, settings in protocol.measures.computed():
        conditions = {view for column in spec.columns(settings) for view in column.conditions}
        if conditions <= known and not spec.needs_network:
            continue
        if is_asked_for:
            raise problems.MEASURE_NEEDS_MODEL.error(measure=spec.title)
        protocol = protocol.without(spec.name)
    return protocol
