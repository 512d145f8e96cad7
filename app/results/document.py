"""The results document: summaries, performance, noise curves and stability by pair."""

from collections.abc import Mapping, Sequence
from typing import Any
from typing import Protocol as Interface

import numpy as np
from sqlalchemy.orm import Session

from app.domain.audits.subjects import Pairing, is_model
from app.domain.comparisons.model_differences import MethodScores, model_differences
from app.domain.measures import (
    AGREEMENT,
    CLASS_SEPARATION,
    GEOMETRIC_RESILIENCE,
    NOISE_REACTION,
    SANITY,
    STABILITY,
    SUFFICIENCY,
    MeasureSpec,
)
from app.domain.models.fidelity import Fidelity
from app.domain.protocol import Protocol
from app.domain.results.curves import DeformationCurve, MoveCurve, NoiseCurve
from app.domain.results.documents import ResultsDocument, ResultsHead, ResultsNumbers
from app.domain.results.enough import Sufficiency
from app.domain.results.performance import Performance
from app.domain.results.radar import headline_views
from app.domain.results.ranks import ModelDifference
from app.domain.results.subjects import AuditedMapSet, AuditedModel
from app.domain.results.summaries import PairReport, Summary
from app.domain.results.twins import Sanity
from app.domain.samples.label_mapping import LabelMapping
from app.domain.statistics.aggregates import Floats, equal_group_weights, weighted_mean
from app.domain.summaries.groups import Groups
from app.domain.summaries.label_performance import LabelPredictions, label_performance
from app.domain.summaries.performance import (
    CurveSource,
    Predictions,
    deformation_curve,
    move_curve,
    noise_curve,
    performance,
)
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.several_models import across_models, pair_report
from app.domain.summaries.sufficiency import sufficiency_report
from app.domain.summaries.summarising import Summarised, summarise
from app.domain.summaries.twins import twin_distances
from app.domain.vocabulary import ACROSS_MODELS
from app.results.inputs import AuditedSubject, AuditInputs, GivenSubject
from app.results.reading import complete
from app.results.score_tables import StoredScores, cluster_codes, further_groups, read_scores
from app.results.training_images import training_images

SSIM_WINDOW = 7
"""Maps with a shorter side are compared at the input's resolution. The worker's own; a test holds them together."""


class FromMaps(Interface):
    """What is made of the stored maps once all of them are there."""

    @property
    def chances(self) -> Mapping[int, Mapping[str, Floats]]:
        """(N,) by subject and view: its map against the given map of another sample; NaN where there is none."""

    @property
    def controls(self) -> Mapping[str, Floats]:
        """(N,) the control of each pairing that has any, by measure; NaN where there is none."""

    def add_to(self, document: ResultsDocument, groups: Groups) -> None:
        """Numbers beside those of the scores."""


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
        "models": [_shown(one, protocol) for one in inputs.of_models],
        "software": software,
    }
    if inputs.map_sets:
        head["map_sets"] = [_given(one) for one in inputs.given]
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


def _shown(one: AuditedSubject, protocol: Protocol) -> AuditedModel:
    model = one.model
    fidelity = Fidelity.of(model.fidelity)
    return {
        "model_id": one.key,
        "method": one.subject.salience.method,
        "name": one.subject.title(protocol, model.name),
        "digest": model.content_digest,
        "fidelity": None if fidelity is None else fidelity.model_dump(mode="json"),
    }


def _given(one: GivenSubject) -> AuditedMapSet:
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
    measured = _performance(inputs, stored, mapping)
    curves = [CurveSource.of(one.key, summaries, measured) for one in inputs.of_models if one.subject.has_views]
    across = read_scores(session, inputs.audit.id, ACROSS_MODELS) if protocol.pairing_columns() else None
    of_models = zip(inputs.of_models, stored, strict=False)
    small = [one.model for one, scores in of_models if scores.map_side < SSIM_WINDOW]
    return {
        "model_differences": _differences(inputs, stored, groups),
        "summaries": summaries + ([] if across is None else _pairing_summaries(across, groups, protocol, from_maps)),
        "across_models": across_models(protocol.columns(), summarised[: len(inputs.models)]) if inputs.models else [],
        "stability": _pairs(across, inputs, STABILITY),
        "agreement": _pairs(across, inputs, AGREEMENT),
        "class_separation": _pairs(across, inputs, CLASS_SEPARATION),
        "sanity": _sanity(across, inputs, stored, groups),
        "performance": measured,
        "performance_reason": mapping.reason,
        "performance_labels": mapping.shown(),
        "noise_curves": _noise_curves(protocol, curves),
        "deformation_curves": _deformation_curves(protocol, curves),
        "move_curves": _move_curves(protocol, curves),
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


def _performance(inputs: AuditInputs, stored: list[StoredScores], mapping: LabelMapping) -> list[Performance]:
    if mapping.indices is None:
        return []
    if mapping.several:
        return _label_performance(inputs, stored, mapping)
    truth = np.array([mapping.indices.get(label or "", -1) for label in stored[0].labels])
    count = inputs.classes or 0
    classes = mapping.score_classes(count)
    return [
        row
        for one, scores in zip(inputs.of_models, stored, strict=False)
        for row in performance(
            Predictions(
                model_id=one.key,
                conditions=one.conditions,
                classes=classes,
                predicted=scores.predicted,
                scores=scores.class_scores.reshape(len(truth), len(one.conditions), len(classes)),
                truth=truth,
                labels={index: label for label, index in mapping.indices.items()},
            ),
            count,
        )
    ]


def _label_performance(inputs: AuditInputs, stored: list[StoredScores], mapping: LabelMapping) -> list[Performance]:
    count = inputs.classes or 0
    positives = np.zeros((len(stored[0].labels), count), dtype=bool)
    for row, label in enumerate(stored[0].labels):
        positives[row, list(mapping.positives(label))] = True
    return [
        row
        for one, scores in zip(inputs.of_models, stored, strict=False)
        for row in label_performance(
            LabelPredictions(
                model_id=one.key,
                conditions=one.conditions,
                scores=scores.class_scores.reshape(len(positives), len(one.conditions), count),
                positives=positives,
                known=np.array([label is not None for label in stored[0].labels]),
                threshold=one.output.threshold,
                names=tuple(one.model.class_names or map(str, range(count))),
            )
        )
    ]


def _pairing_summaries(
    across: StoredScores, groups: Groups, protocol: Protocol, from_maps: FromMaps | None
) -> list[Summary]:
    columns = protocol.pairing_columns()
    blank = np.full_like(across.scores, np.nan)
    controls = blank.copy()
    for place, column in enumerate(columns):
        if from_maps is not None and column.measure in from_maps.controls:
            controls[:, place] = from_maps.controls[column.measure]
    return summarise(ScoreTable(None, columns, across.scores, controls, blank), groups, protocol.seed).rows


def _pairs(across: StoredScores | None, inputs: AuditInputs, spec: MeasureSpec[Any]) -> PairReport | None:
    """Of one pairing."""
    found = _scores_of_pairs(across, inputs, spec)
    if found is None:
        return None
    pairing, scores = found
    members = sorted({place for group in pairing.groups for place in group})
    within = [(members.index(first), members.index(second)) for first, second in pairing.pairs]
    return pair_report(scores, [inputs.subjects[place].key for place in members], within)


def _scores_of_pairs(
    across: StoredScores | None, inputs: AuditInputs, spec: MeasureSpec[Any]
) -> tuple[Pairing, Floats] | None:
    """(N, P) of the pairs of a pairing, which are stored behind those of the pairings before it; None where it was not
    asked for.
    """
    if across is None:
        return None
    start = 0
    for pairing in inputs.pairings:
        stop = start + len(pairing.pairs)
        if pairing.column.measure == spec.name:
            return pairing, across.pairs[:, start:stop]
        start = stop
    return None


def _sanity(
    across: StoredScores | None, inputs: AuditInputs, stored: list[StoredScores], groups: Groups
) -> list[Sanity]:
    """Every model beside its random twin."""
    found = _scores_of_pairs(across, inputs, SANITY)
    if found is None:
        return []
    protocol, subjects = inputs.protocol, inputs.of_models
    wanted = {(measure, view) for measure, views in headline_views(protocol).items() for view in views}
    sections: list[Sanity] = []
    for (own, twin), rises in zip(found[0].pairs, found[1].T, strict=True):
        tables = [stored[place].table(subjects[place].key, protocol, subjects[place].output) for place in (own, twin)]
        key, weights = subjects[own].key, equal_group_weights(groups.source_codes(), rises)
        distances = twin_distances(tables[0], tables[1], wanted, groups, protocol.seed)
        sections.append({"model_id": key, "entropy_rise": weighted_mean(rises, weights), "distances": distances})
    return sections


def _sufficiency(inputs: AuditInputs, stored: list[StoredScores], groups: Groups) -> list[Sufficiency]:
    return [
        {"model_id": one.key, "subject": one.key, **sufficiency_report(settings, one.conditions, predicted, groups)}
        for one, scores in zip(inputs.of_models, stored, strict=False)
        if (settings := SUFFICIENCY.settings_in(one.protocol.measures)) is not None
        for predicted in [scores.predictions(one.output)]
    ]


def _noise_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[NoiseCurve]:
    noise = NOISE_REACTION.settings_in(protocol.measures)
    return [] if noise is None else [noise_curve(source, noise.amounts) for source in sources]


def _deformation_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[DeformationCurve]:
    noise = NOISE_REACTION.settings_in(protocol.measures)
    asked = () if noise is None else noise.deformations
    return [deformation_curve(source, one.kind, one.severities) for source in sources for one in asked]


def _move_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[MoveCurve]:
    geometry = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    asked = () if geometry is None else geometry.deformations
    return [move_curve(source, one.kind, one.values) for source in sources for one in asked]
