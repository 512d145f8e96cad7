"""The table of differences: every pair of series, every measure's view, every group of samples."""

from typing import TypedDict

import numpy as np

from app.domain.comparisons.series import Contrast, ScoreSeries, contrasts_of, macro_weights
from app.domain.results.comparisons import DifferenceRow
from app.domain.statistics.aggregates import Floats, Integers, weighted_mean
from app.domain.statistics.bootstrap import bootstrap, percentile_interval
from app.domain.statistics.differences import snap
from app.domain.statistics.resampling import group_seed, macro_bootstrap
from app.domain.vocabulary import GroupBy


class _Means(TypedDict):
    n: int
    n_undefined: int
    mean_first: float | None
    mean_second: float | None
    difference: float | None


class _Test(TypedDict):
    p_value: float | None
    p_method: str | None
    p_holm: float | None
    favours: int | None


UNTESTED: _Test = {"p_value": None, "p_method": None, "p_holm": None, "favours": None}


def difference_rows(series: ScoreSeries) -> list[DifferenceRow]:
    """One row a group, pair and column: both means over the samples that both series scored, and their difference.

    ``ci95_low`` and ``ci95_high`` bound the mean of second minus first. Neither is it tested yet, nor judged.
    """
    contrasts = contrasts_of(series)
    codes = series.groups.source_codes()
    rows: list[DifferenceRow] = []
    for group in series.sample_groups():
        if (group.group_by, group.group) == (GroupBy.TOTAL, "macro"):
            weights = macro_weights(contrasts.values, codes)
            resampled = macro_bootstrap(snap(contrasts.values), codes, series.seed, series.groups.clusters)
        else:
            weights = np.ones((len(group.members), contrasts.values.shape[1]))
            seed = group_seed(series.seed, group.group_by, group.group)
            clusters = series.groups.clusters_of(group.members)
            resampled = bootstrap(snap(contrasts.values[group.members]), seed, clusters)
        lows, highs = percentile_interval(resampled)
        for index, owner in enumerate(contrasts.owners):
            column = series.columns[owner.column]
            rows.append(
                {
                    "first": owner.first,
                    "second": owner.second,
                    "measure": column.measure,
                    "view": column.view,
                    "group_by": group.group_by,
                    "group": group.group,
                    **_means(series, owner, group.members, weights[:, index]),
                    "ci95_low": lows[index],
                    "ci95_high": highs[index],
                    **UNTESTED,
                    "says_nothing": [],
                }
            )
    return rows


def _means(series: ScoreSeries, owner: Contrast, members: Integers, weights: Floats) -> _Means:
    """Over the samples that both series scored, so that the difference of the means is the mean difference."""
    first, second = (series.scores[place, members, owner.column] for place in (owner.first, owner.second))
    differences = second - first
    both = np.where(np.isnan(differences), 0.0, weights)
    undefined = int(np.isnan(differences).sum())
    return {
        "n": int(differences.size) - undefined,
        "n_undefined": undefined,
        "mean_first": weighted_mean(first, both),
        "mean_second": weighted_mean(second, both),
        "difference": weighted_mean(differences, both),
    }
