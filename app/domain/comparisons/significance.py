"""Which of a comparison's differences are more than chance."""

import numpy as np

from app.domain.comparisons.series import ScoreSeries, contrasts_of, macro_weights
from app.domain.measures import lower_is_better
from app.domain.results.comparisons import DifferenceRow
from app.domain.statistics.aggregates import Floats, Integers, sums_by_cluster
from app.domain.statistics.differences import ALPHA, holm, sign_flip_test, snap


def sign_flip_rows(series: ScoreSeries, draws: int) -> list[tuple[float | None, str | None]]:
    """p-value and method for the macro row of every pair and column, in the order of ``difference_rows``."""
    differences = contrasts_of(series).values
    weights = macro_weights(differences, series.groups.source_codes())
    weighted = np.where(np.isnan(differences), np.nan, differences * weights)
    if series.groups.clusters is not None:
        weighted = _by_cluster(snap(weighted), series.groups.clusters)
    return sign_flip_test(weighted, series.seed, draws)


def _by_cluster(weighted: Floats, clusters: Integers) -> Floats:
    """(C, V) sums, NaN where a cluster has no difference: what belongs together changes its sign together."""
    sums = sums_by_cluster(np.nan_to_num(weighted), clusters)
    there = sums_by_cluster((~np.isnan(weighted)).astype(np.float64), clusters)
    return np.where(there > 0, sums, np.nan)


def correct(tested: list[DifferenceRow]) -> None:
    """Add ``p_holm`` and ``favours`` to all tested rows of a comparison, the family of the correction."""
    for row, adjusted in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_holm"] = adjusted
        row["favours"] = _favoured(row) if adjusted is not None and adjusted < ALPHA else None


def _favoured(row: DifferenceRow) -> int:
    second_is_lower = (row["difference"] or 0.0) < 0
    better = row["second"] if second_is_lower == lower_is_better(row["measure"], row["view"]) else row["first"]
    return int(better)
