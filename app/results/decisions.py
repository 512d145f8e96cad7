"""How well the models of an audit classify, and their curves."""

from collections.abc import Sequence

import numpy as np

from app.domain.measures import (
    GEOMETRIC_RESILIENCE,
    NOISE_REACTION,
)
from app.domain.protocol import Protocol
from app.domain.results.curves import DeformationCurve, MoveCurve, NoiseCurve
from app.domain.results.performance import Performance
from app.domain.samples.label_mapping import LabelMapping
from app.domain.summaries.label_performance import LabelPredictions, label_performance
from app.domain.summaries.performance import (
    CurveSource,
    Predictions,
    deformation_curve,
    move_curve,
    noise_curve,
    performance,
)
from app.results.inputs import AuditInputs
from app.results.score_tables import StoredScores


def performance_of(inputs: AuditInputs, stored: list[StoredScores], mapping: LabelMapping) -> list[Performance]:
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


def noise_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[NoiseCurve]:
    noise = NOISE_REACTION.settings_in(protocol.measures)
    return [] if noise is None else [noise_curve(source, noise.amounts) for source in sources]


def deformation_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[DeformationCurve]:
    noise = NOISE_REACTION.settings_in(protocol.measures)
    asked = () if noise is None else noise.deformations
    return [deformation_curve(source, one.kind, one.severities) for source in sources for one in asked]


def move_curves(protocol: Protocol, sources: Sequence[CurveSource]) -> list[MoveCurve]:
    geometry = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    asked = () if geometry is None else geometry.deformations
    return [move_curve(source, one.kind, one.values) for source in sources for one in asked]
