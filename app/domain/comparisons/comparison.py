"""The tables of a comparison: every pair of series, every measure's view, every group of samples."""

from dataclasses import dataclass
from itertools import combinations, count
from typing import NamedTuple, TypedDict

import numpy as np

from app.domain.measures import ScoreColumn, lower_is_better
from app.domain.results.comparisons import DifferenceRow, SideTotal
from app.domain.statistics.aggregates import Floats, Integers, equal_group_weights, sums_by_cluster, weighted_mean
from app.domain.statistics.bootstrap import bootstrap, percentile_interval
from app.domain.statistics.differences import ALPHA, farthest, holm, sign_flip_test, snap
from app.domain.statistics.resampling import group_seed, macro_bootstrap
from app.domain.summaries.summaries import Groups, SampleGroup
from app.domain.vocabulary import GroupBy

MOST_DIFFERENT = 10


@dataclass(frozen=True)
class ScoreSeries:
    """The scores of S series (S, N, V) for V columns on the same N samples; NaN where undefined.

    Every series is compared with every other, or only with the first.
    """

    scores: Floats
    columns: tuple[ScoreColumn, ...]
    groups: Groups
    seed: int
    against_first: bool = False

    @classmethod
    def of(cls, scores: list[Floats], columns: tuple[ScoreColumn, ...], groups: Groups, seed: int) -> "ScoreSeries":
        """From each series' scores (N, V)."""
        return cls(np.stack(scores), columns, groups, seed)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        pairs = combinations(range(len(self.scores)), 2)
        return tuple(pair for pair in pairs if pair[0] == 0 or not self.against_first)

    def sample_groups(self) -> list[SampleGroup]:
        every = np.arange(self.scores.shape[1])
        return [*(SampleGroup(GroupBy.TOTAL, total, every) for total in ("macro", "micro")), *self.groups.named()]


class _Contrast(NamedTuple):
    """The places of two series, and of a column that both have."""

    first: int
    second: int
    column: int


class FarSample(TypedDict):
    """A sample by its ordinal, and what two series scored in it."""

    ordinal: int
    score_first: float
    score_second: float
    difference: float


class FarSamples(TypedDict):
    """The samples in which two series differ most, by one column."""

    first: int
    second: int
    measure: str
    view: str
    samples: list[FarSample]


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


@dataclass(frozen=True)
class _Contrasts:
    """Differences (N, P * V), second series minus first, pair by pair, and what each belongs to."""

    values: Floats
    owners: list[_Contrast]


def series_totals(series: ScoreSeries) -> list[list[SideTotal]]:
    """Per series, the macro mean of each column over the samples that it scored, with its interval."""
    # All series in one bootstrap: over a million samples, drawing costs far more than adding up.
    together, codes = np.concatenate(list(series.scores), axis=1), series.groups.source_codes()
    lows, highs = percentile_interval(macro_bootstrap(snap(together), codes, series.seed, series.groups.clusters))
    width = len(series.columns)
    return [
        [
            _total(column, values, codes, (lows[place], highs[place]))
            for place, column, values in zip(count(number * width), series.columns, scores.T, strict=False)
        ]
        for number, scores in enumerate(series.scores)
    ]


def _total(
    column: ScoreColumn, values: Floats, codes: Integers, interval: tuple[float | None, float | None]
) -> SideTotal:
    undefined = int(np.isnan(values).sum())
    return {
        "measure": column.measure,
        "view": column.view,
        "n": int(values.size) - undefined,
        "n_undefined": undefined,
        "mean": weighted_mean(values, equal_group_weights(codes, values)),
        "ci95_low": interval[0],
        "ci95_high": interval[1],
        "says_nothing": [],
    }


def difference_rows(series: ScoreSeries) -> list[DifferenceRow]:
    """One row a group, pair and column: both means over the samples that both series scored, and their difference.

    ``ci95_low`` and ``ci95_high`` bound the mean of second minus first. Neither is it tested yet, nor judged.
    """
    contrasts = _contrasts(series)
    codes = series.groups.source_codes()
    rows: list[DifferenceRow] = []
    for group in series.sample_groups():
        if (group.group_by, group.group) == (GroupBy.TOTAL, "macro"):
            weights = _macro_weights(contrasts.values, codes)
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


def _contrasts(series: ScoreSeries) -> _Contrasts:
    owners = [_Contrast(a, b, column) for a, b in series.pairs for column in range(len(series.columns))]
    parts = [series.scores[b] - series.scores[a] for a, b in series.pairs]
    return _Contrasts(np.concatenate(parts, axis=1), owners)


def _macro_weights(differences: Floats, codes: Integers) -> Floats:
    return np.stack([equal_group_weights(codes, column) for column in differences.T], axis=1)


def _means(series: ScoreSeries, owner: _Contrast, members: Integers, weights: Floats) -> _Means:
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


def sign_flip_rows(series: ScoreSeries, draws: int) -> list[tuple[float | None, str | None]]:
    """p-value and method for the macro row of every pair and column, in the order of ``difference_rows``."""
    differences = _contrasts(series).values
    weights = _macro_weights(differences, series.groups.source_codes())
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


def most_different(series: ScoreSeries, chosen: set[tuple[str, str]]) -> list[FarSamples]:
    """For every pair and chosen (measure, view), the samples that differ most: ordinals, scores and differences."""
    contrasts = _contrasts(series)
    found: list[FarSamples] = []
    for index, owner in enumerate(contrasts.owners):
        column = series.columns[owner.column]
        if (column.measure, column.view) not in chosen:
            continue
        samples: list[FarSample] = [
            {
                "ordinal": ordinal,
                "score_first": float(series.scores[owner.first, ordinal, owner.column]),
                "score_second": float(series.scores[owner.second, ordinal, owner.column]),
                "difference": float(contrasts.values[ordinal, index]),
            }
            for ordinal in farthest(contrasts.values[:, index], MOST_DIFFERENT).tolist()
        ]
        found.append(
            {
                "first": owner.first,
                "second": owner.second,
                "measure": column.measure,
                "view": column.view,
                "samples": samples,
            }
        )
    return found
