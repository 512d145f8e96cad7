"""The results document, from the stored rows."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.domain.audits.subjects import is_model
from app.domain.comparisons.model_differences import MethodScores, model_differences
from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.measures import (
    AGREEMENT,
    CLASS_SEPARATION,
    STABILITY,
    SUFFICIENCY,
)
from app.domain.models.fidelity import Fidelity
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument, ResultsHead, ResultsNumbers
from app.domain.results.enough import Sufficiency
from app.domain.results.ranks import ModelDifference
from app.domain.results.subjects import AuditedMapSet, AuditedModel
from app.domain.statistics.aggregates import Floats
from app.domain.summaries.groups import Groups
from app.domain.summaries.performance import (
    CurveSource,
)
from app.domain.summaries.several_models import across_models
from app.domain.summaries.sufficiency import sufficiency_report
from app.domain.summaries.summarising import Summarised, summarise
from app.domain.vocabulary import ACROSS_MODELS
from app.results.decisions import deformation_curves, move_curves, noise_curves, performance_of
from app.results.from_maps import FromMaps
from app.results.inputs import AuditedSubject, AuditInputs, GivenSubject
from app.results.pairings import pairing_summaries, pairs_of, sanity_of
from app.results.reading import complete
from app.results.score_tables import StoredScores, cluster_codes, further_groups, read_scores
from app.results.training_images import training_images


def results_document(
    session: Session, inputs: AuditInputs, software: dict[str, str] | None, from_maps: FromMaps | None = None
) -> ResultsDocument:
    """Everything that ``GET /v1/audits/{id}/results`` answers, from the stored rows in sample order.

    By subject (`app.results.subjects`). ``software`` are the versions that the scores were made with, None where the
    caller does not know them; ``from_maps`` is what only all stored maps together tell, None before the end.
    """
    audit, protocol = inputs.audit, inputs.protocol
    head: ResultsHead = {
        "audit_id": str(audit.id),
        "protocol": protocol.to_json(),
        "protocol_digest": audit.protocol_digest,
        "dataset_digest": inputs.dataset.digest,
        "sample_count": audit.sample_count,
        "split": audit.split,
        "cluster": audit.cluster,
        "notes": audit.notes,
        "training_images": training_images(session, audit),
        "run_group_id": None if audit.run_group_id is None else str(audit.run_group_id),
        "models": [_model(one, protocol) for one in inputs.of_models],
        "software": software,
    }
    if inputs.map_sets:
        head["map_sets"] = [_map_set(one) for one in inputs.given]
    stored = [read_scores(session, audit.id, ordinal) for ordinal in range(len(inputs.subjects))]
    numbers = _measured(session, inputs, stored, from_maps) if stored[0].labels else _nothing()
    document: ResultsDocument = {**head, **numbers, "findings": []}
    if from_maps is not None:
        from_maps.add_to(document, Groups(stored[0].labels, stored[0].sources, several=inputs.mapping.several))
    complete(document, inputs.classes)
    return document


def _nothing() -> ResultsNumbers:
    return {
        "model_differences": [],
        "summaries": [],
        "across_models": [],
        "stability": None,
        "agreement": None,
        "class_separation": None,
        "sanity": [],
        "performance": [],
        "performance_reason": None,
        "performance_labels": None,
        "noise_curves": [],
        "deformation_curves": [],
        "move_curves": [],
        "sufficiency": [],
        "where_maps_lie": [],
        "compared_at_input_resolution": [],
    }


def _model(one: AuditedSubject, protocol: Protocol) -> AuditedModel:
    model = one.model
    fidelity = Fidelity.of(model.fidelity)
    return {
        "model_id": one.key,
        "method": one.subject.salience.method,
        "name": one.subject.title(protocol, model.name),
        "digest": model.content_digest,
        "fidelity": None if fidelity is None else fidelity.model_dump(mode="json"),
    }


def _map_set(one: GivenSubject) -> AuditedMapSet:
    row = one.map_set
    return {
        "map_set_id": str(row.id),
        "subject": one.key,
        "name": row.name,
        "kind": row.kind,
        "digest": row.digest,
        "views": row.views,
    }


def _measured(
    session: Session, inputs: AuditInputs, stored: list[StoredScores], from_maps: FromMaps | None
) -> ResultsNumbers:
    protocol, mapping = inputs.protocol, inputs.mapping
    further, clusters = further_groups(session, inputs.audit), cluster_codes(session, inputs.audit)
    groups = Groups(stored[0].labels, stored[0].sources, further, clusters, mapping.several)
    summarised = _summarised(inputs, stored, groups, {} if from_maps is None else from_maps.chances)
    summaries = [row for model in summarised for row in model.rows]
    measured = performance_of(inputs, stored, mapping)
    curves = [CurveSource.of(one.key, summaries, measured) for one in inputs.of_models if one.subject.has_views]
    across = read_scores(session, inputs.audit.id, ACROSS_MODELS) if protocol.pairing_columns() else None
    of_models = zip(inputs.of_models, stored, strict=False)
    small = [one.model for one, scores in of_models if scores.map_side < SIMILARITIES[Similarity.SSIM].fewest_rows]
    return {
        "model_differences": _differences(inputs, stored, groups),
        "summaries": summaries + ([] if across is None else pairing_summaries(across, groups, protocol, from_maps)),
        "across_models": across_models(protocol.columns(), summarised[: len(inputs.models)]) if inputs.models else [],
        "stability": pairs_of(across, inputs, STABILITY),
        "agreement": pairs_of(across, inputs, AGREEMENT),
        "class_separation": pairs_of(across, inputs, CLASS_SEPARATION),
        "sanity": sanity_of(across, inputs, stored, groups),
        "performance": measured,
        "performance_reason": mapping.reason,
        "performance_labels": mapping.shown(),
        "noise_curves": noise_curves(protocol, curves),
        "deformation_curves": deformation_curves(protocol, curves),
        "move_curves": move_curves(protocol, curves),
        "sufficiency": _sufficiency(inputs, stored, groups),
        "where_maps_lie": [],
        "compared_at_input_resolution": list(dict.fromkeys(str(model.id) for model in small)),
    }


def _summarised(
    inputs: AuditInputs, stored: list[StoredScores], groups: Groups, chances: Mapping[int, Mapping[str, Floats]]
) -> list[Summarised]:
    """Of every subject, the columns that it may have a score in."""
    protocol = inputs.protocol
    return [
        summarise(
            scores.table(one.key, one.protocol, one.output, chances.get(ordinal)).of(one.subject.columns(protocol)),
            groups,
            protocol.seed,
        )
        for ordinal, (one, scores) in enumerate(zip(inputs.subjects, stored, strict=True))
    ]


def _differences(inputs: AuditInputs, stored: list[StoredScores], groups: Groups) -> list[ModelDifference]:
    """Of the models themselves, under each method."""
    models = [
        MethodScores(str(one.model.id), one.subject.salience.method, one.protocol.columns(), scores.scores)
        for one, scores in zip(inputs.of_models, stored, strict=False)
        if is_model(one.key)
    ]
    return model_differences(models, inputs.protocol, groups)


def _sufficiency(inputs: AuditInputs, stored: list[StoredScores], groups: Groups) -> list[Sufficiency]:
    return [
        {"model_id": one.key, "subject": one.key, **sufficiency_report(settings, one.conditions, predicted, groups)}
        for one, scores in zip(inputs.of_models, stored, strict=False)
        if (settings := SUFFICIENCY.settings_in(one.protocol.measures)) is not None
        for predicted in [scores.predictions(one.output)]
    ]
