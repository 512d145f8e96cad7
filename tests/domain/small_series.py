"""Series of a comparison that fit on a line."""

import numpy as np

from app.domain.comparisons.series import ScoreSeries
from app.domain.measures import ScoreColumn
from app.domain.summaries.groups import Groups

ENTROPY = ScoreColumn(measure="entropy", view="spatial")
FLIPS = ScoreColumn(measure="geometric_resilience", view="flips")


def normals(size: int, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, size)


def series_of(*scores: list[list[float]], sources: tuple[str | None, ...] | None = None) -> ScoreSeries:
    arrays_ = [np.array(one, dtype=float).T for one in scores]
    count = len(arrays_[0])
    labels = tuple("ab"[number % 2] for number in range(count))
    columns = (ENTROPY, FLIPS, *[ENTROPY] * 400)[: arrays_[0].shape[1]]
    return ScoreSeries.of(arrays_, columns, Groups(labels, sources or (None,) * count), 0)
