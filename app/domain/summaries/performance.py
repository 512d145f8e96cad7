"""Accuracy, AUROC and ROC curves of the models on clean and changed images (Crum et al. 2023, Fig. 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, Self, TypedDict

import numpy as np

from app.domain.results.curves import (
    CurvePoint,
    DeformationCurve,
    DeformationPoint,
    MoveCurve,
    MovePoint,
    NoiseCurve,
    NoisePoint,
)
from app.domain.results.performance import LabelAccuracy, Performance, Roc
from app.domain.results.summaries import Summary
from app.domain.statistics.aggregates import Floats, Integers, Masks, area_under_curve, mean
from app.domain.statistics.roc import auroc, roc_curve
from app.domain.views.families import noise_view, with_parameter
from app.domain.vocabulary import CLEAN

MOST_LABELS = 50
"""With more, accuracy by label under every view would be most of the document."""


@dataclass(frozen=True)
class Predictions:
    """What one model said of N samples under C conditions (clean first).

    ``predicted`` (N, C) class indices, -1 where the output was not finite; ``scores`` (N, C, L) the scores of the L
    ``classes``, NaN likewise; ``truth`` (N,) class indices, -1 where the sample has no label. ``labels`` are the labels
    of class indices.
    """

    model_id: str
    conditions: tuple[str, ...]
    classes: tuple[int, ...]
    predicted: Integers
    scores: Floats
    truth: Integers
    labels: Mapping[int, str] = field(default_factory=dict)


def performance(predictions: Predictions, class_count: int) -> list[Performance]:
    """One row a condition: n, accuracy, AUROC, and for two classes the ROC curve of class 1."""
    return [_condition(predictions, index, class_count) for index in range(len(predictions.conditions))]


class _Areas(TypedDict):
    auroc: float | None
    roc: Roc | None
    auroc_by_class: NotRequired[dict[str, float | None]]


def _condition(predictions: Predictions, index: int, class_count: int) -> Performance:
    known = (predictions.truth >= 0) & (predictions.predicted[:, index] >= 0)
    truth, scores = predictions.truth[known], predictions.scores[known, index]
    hits = (predictions.predicted[known, index] == truth).astype(np.float64)
    areas = (
        _binary(scores[:, 0], truth == 1) if class_count == 2 else _one_versus_rest(scores, truth, predictions.classes)
    )
    return {
        "condition": predictions.conditions[index],
        "model_id": predictions.model_id,
        "subject": predictions.model_id,
        "n": int(known.sum()),
        "accuracy": mean(hits),
        "balanced_accuracy": _balanced(hits, truth),
        "by_label": _by_label(predictions.labels, truth, hits),
        **areas,
    }


def _balanced(hits: Floats, truth: Integers) -> float | None:
    """The mean over the classes that occur of the share that is recognised: (N,) hits of (N,) true classes."""
    recalls = [mean(hits[truth == name]) for name in np.unique(truth)]
    return mean(np.array(recalls, dtype=np.float64))


def _by_label(labels: Mapping[int, str], truth: Integers, hits: Floats) -> dict[str, LabelAccuracy] | None:
    """n and accuracy of every label: a view that breaks one class hides in the mean. None for very many labels."""
    if len(labels) > MOST_LABELS:
        return None
    members = {name: hits[truth == index] for index, name in sorted(labels.items(), key=lambda item: item[1])}
    return {name: {"n": int(found.size), "accuracy": mean(found)} for name, found in members.items()}


def _binary(scores: Floats, positives: Masks) -> _Areas:
    area = auroc(scores, positives)
    if area is None:
        return {"auroc": None, "roc": None}
    false, true, thresholds = roc_curve(scores, positives)
    # JSON has no infinity: the threshold above every score is null.
    threshold = [None, *thresholds[1:].tolist()]
    return {"auroc": area, "roc": {"fpr": false.tolist(), "tpr": true.tolist(), "threshold": threshold}}


def _one_versus_rest(scores: Floats, truth: Integers, classes: tuple[int, ...]) -> _Areas:
    areas = {str(name): auroc(scores[:, column], truth == name) for column, name in enumerate(classes)}
    defined = np.array([area for area in areas.values() if area is not None])
    return {"auroc": mean(defined), "roc": None, "auroc_by_class": areas}


@dataclass(frozen=True)
class CurveSource:
    """What the curves of one model are made of: its summaries over all samples, and how it classified, by view."""

    model_id: str
    summaries: Mapping[str, Summary]
    performance: Mapping[str, Performance]

    @classmethod
    def of(cls, model_id: str, summaries: list[Summary], rows: list[Performance]) -> Self:
        total = {"model_id": model_id, "group_by": "total", "group": "micro"}
        by_view = {row["view"]: row for row in summaries if total.items() <= row.items()}
        return cls(model_id, by_view, {row["condition"]: row for row in rows if row["model_id"] == model_id})

    @property
    def clean_auroc(self) -> float | None:
        clean = self.performance.get(CLEAN)
        return clean and clean["auroc"]

    def point(self, view: str) -> CurvePoint:
        """Mean and spread of the scores under a view, and how the images were classified."""
        summary, measured = self.summaries[view], self.performance.get(view)
        return {
            "mean": summary["mean"],
            "std": summary["std"],
            "ci95_low": summary["ci95_low"],
            "ci95_high": summary["ci95_high"],
            "n": summary["n"],
            "flip_rate": summary["flip_rate"],
            "auroc": measured and measured["auroc"],
            "accuracy": measured and measured["accuracy"],
        }


def noise_curve(source: CurveSource, amounts: tuple[float, ...]) -> NoiseCurve:
    """The noise curve of Fig. 4: mean, spread and AUROC per amount, and the area under the mean.

    The area is the trapezoidal integral over the amounts divided by their range: the mean height of the curve.
    """
    points: list[NoisePoint] = [{"amount": amount, **source.point(noise_view(amount))} for amount in amounts]
    area = _area(amounts, points)
    return {"model_id": source.model_id, "clean_auroc": source.clean_auroc, "points": points, "area": area}


def deformation_curve(source: CurveSource, kind: str, severities: tuple[int, ...]) -> DeformationCurve:
    """The same of a deformation, per severity."""
    points: list[DeformationPoint] = [
        {"severity": severity, **source.point(with_parameter(kind, severity))} for severity in severities
    ]
    area = _area(severities, points)
    clean = source.clean_auroc
    return {"model_id": source.model_id, "kind": kind, "clean_auroc": clean, "points": points, "area": area}


def move_curve(source: CurveSource, kind: str, numbers: tuple[float, ...]) -> MoveCurve:
    """The same of a move, per number, beside its control."""
    views = {number: with_parameter(kind, number) for number in numbers}
    points: list[MovePoint] = [
        {"number": number, "control_mean": source.summaries[view]["control_mean"], **source.point(view)}
        for number, view in views.items()
    ]
    area = _area(numbers, points)
    clean = source.clean_auroc
    return {"model_id": source.model_id, "kind": kind, "clean_auroc": clean, "points": points, "area": area}


def _area(places: Sequence[float], points: Sequence[CurvePoint]) -> float | None:
    means = np.array([np.nan if point["mean"] is None else point["mean"] for point in points])
    return area_under_curve(np.array(places), means)
