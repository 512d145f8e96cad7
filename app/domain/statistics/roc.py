"""How well scores tell two classes apart."""

import numpy as np

from app.domain.statistics.aggregates import Floats, Integers, Masks


def roc_curve(scores: Floats, positives: Masks) -> tuple[Floats, Floats, Floats]:
    """False and true positive rates and thresholds, descending; collinear points are left out (Fawcett 2006).

    The first point is (0, 0) with an infinite threshold, as in scikit-learn. Needs at least one sample of each kind.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], positives[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), ordered.size - 1)
    true, false = np.cumsum(hits)[last], (last + 1) - np.cumsum(hits)[last]
    corners = np.ones(true.size, dtype=bool)
    corners[1:-1] = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
    thresholds = np.append(np.inf, ordered[last][corners])
    return _rates(false, corners), _rates(true, corners), thresholds


def _rates(counts: Integers, corners: Masks) -> Floats:
    """From (0, 0), the share of all that were counted."""
    rates: Floats = np.append(0, counts[corners]) / max(counts[-1], 1)
    return rates


def auroc(scores: Floats, positives: Masks) -> float | None:
    """Area under the ROC curve, ties counted half (Mann-Whitney); None unless both kinds occur."""
    defined = ~np.isnan(scores)
    scores, positives = scores[defined], positives[defined]
    if not positives.any() or positives.all():
        return None
    false, true, _ = roc_curve(scores, positives)
    return float(np.trapezoid(true, false))
