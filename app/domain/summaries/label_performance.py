"""How well independent labels are told: each label by itself, and the mean over labels that have both outcomes."""

from dataclasses import dataclass

import numpy as np

from app.domain.results.performance import LabelAccuracy, Performance
from app.domain.statistics.aggregates import Floats, Masks, mean
from app.domain.statistics.roc import auroc
from app.domain.summaries.performance import MOST_LABELS


@dataclass(frozen=True)
class LabelPredictions:
    """What one model said of N samples under C conditions (clean first).

    ``scores`` (N, C, K) in [0, 1], NaN where the output was not finite; ``positives`` (N, K) bool, of samples with
    labels alone; ``known`` (N,) bool, whether the sample has labels. A label is told where its score is above the
    threshold. ``names`` are those of the K labels.
    """

    model_id: str
    conditions: tuple[str, ...]
    scores: Floats
    positives: Masks
    known: Masks
    threshold: float
    names: tuple[str, ...]


def label_performance(predictions: LabelPredictions) -> list[Performance]:
    """One row a condition; accuracy and AUROC are macro over the labels that occur and are absent among the samples."""
    return [_condition(predictions, index) for index in range(len(predictions.conditions))]


def _condition(predictions: LabelPredictions, index: int) -> Performance:
    scores = predictions.scores[:, index]
    known = predictions.known & ~np.isnan(scores).any(axis=1)
    scores, positives = scores[known], predictions.positives[known]
    hits = ((scores > predictions.threshold) == positives).astype(np.float64)
    places = range(positives.shape[1])
    both = [place for place in places if 0 < positives[:, place].sum() < len(positives)]
    areas = {str(place): auroc(scores[:, place], positives[:, place]) if place in both else None for place in places}
    by_label: dict[str, LabelAccuracy] = {
        name: {"n": int(positives[:, place].sum()), "accuracy": mean(hits[:, place])}
        for place, name in enumerate(predictions.names)
    }
    return {
        "condition": predictions.conditions[index],
        "model_id": predictions.model_id,
        "n": int(known.sum()),
        "accuracy": mean(hits[:, both].mean(axis=0)) if both else None,
        "balanced_accuracy": None,
        "by_label": by_label if len(by_label) <= MOST_LABELS else None,
        "auroc": mean(np.array([areas[str(place)] for place in both], dtype=np.float64)),
        "roc": None,
        "auroc_by_class": areas,
    }
