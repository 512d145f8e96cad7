"""The tables of a comparison: every pair of series, every measure's view, every group of samples."""

from dataclasses import dataclass
from itertools import combinations, count
from typing import Any

import numpy as np

from app.domain.differences import ALPHA, farthest, holm, sign_flip_test, snap
from app.domain.measures import ScoreColumn, lower_is_better
from app.domain.statistics import (
    Floats,
    Integers,
    bootstrap,
    equal_group_weights,
    percentile_interval,
    weighted_mean,
)
from app.domain.summaries import Groups, group_seed, macro_bootstrap
from app.domain.vocabulary import GroupBy

Json = dict[str, Any]

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

    def rows_of_groups(self) -> list[tuple[str, str, Integers]]:
        every = np.arange(self.scores.shape[1])
        totals: list[tuple[str, str, Integers]] = [(GroupBy.TOTAL, "macro", every), (GroupBy.TOTAL, "micro", every)]
        return [*totals, *self.groups.named()]


@dataclass(frozen=True)
class _Contrasts:
    """Differences (N, P * V), second series minus first, pair by pair, and what each belongs to."""

    values: Floats
    owners: list[tuple[int, int, int]]


def series_totals(series: ScoreSeries) -> list[list[Json]]:
    """Per series, the macro mean of each column over the samples that it scored, with its interval."""
    # All series in one bootstrap: over a million samples, drawing costs far more than adding up.
    together, codes = np.concatenate(list(series.scores), axis=1), series.groups.source_codes()
    lows, highs = percentile_interval(macro_bootstrap(snap(together), codes, series.seed))
    width = len(series.columns)
    return [
        [
            _total(column, values, codes) | {"ci95_low": lows[place], "ci95_high": highs[place]}
            for place, column, values in zip(count(number * width), series.columns, scores.T, strict=False)
        ]
        for number, scores in enumerate(series.scores)
    ]


def _total(column: ScoreColumn, values: Floats, codes: Integers) -> Json:
    undefined = int(np.isnan(values).sum())
    return {
        "measure": column.measure,
        "view": column.view,
        "n": int(values.size) - undefined,
        "n_undefined": undefined,
        "mean": weighted_mean(values, equal_group_weights(codes, values)),
    }


def difference_rows(series: ScoreSeries) -> list[Json]:
    """One row a group, pair and column: both means over the samples that both series scored, and their difference.

    ``ci95_low`` and ``ci95_high`` bound the mean of second minus first.
    """
    contrasts = _contrasts(series)
    codes = series.groups.source_codes()
    rows: list[Json] = []
    for group_by, group, members in series.rows_of_groups():
        if (group_by, group) == (GroupBy.TOTAL, "macro"):
            weights = _macro_weights(contrasts.values, codes)
            resampled = macro_bootstrap(snap(contrasts.values), codes, series.seed)
        else:
            weights = np.ones((len(members), contrasts.values.shape[1]))
            resampled = bootstrap(snap(contrasts.values[members]), group_seed(series.seed, group_by, group))
        lows, highs = percentile_interval(resampled)
        for index, owner in enumerate(contrasts.owners):
            numbers = _means(series, contrasts.values[members, index], (owner, members), weights[:, index])
            interval = {"ci95_low": lows[index], "ci95_high": highs[index]}
            rows.append(_identity(series, owner) | {"group_by": group_by, "group": group} | numbers | interval)
    return rows


def _contrasts(series: ScoreSeries) -> _Contrasts:
    owners = [(a, b, column) for a, b in series.pairs for column in range(len(series.columns))]
    parts = [series.scores[b] - series.scores[a] for a, b in series.pairs]
    return _Contrasts(np.concatenate(parts, axis=1), owners)


def _macro_weights(differences: Floats, codes: Integers) -> Floats:
    return np.stack([equal_group_weights(codes, column) for column in differences.T], axis=1)


def _identity(series: ScoreSeries, owner: tuple[int, int, int]) -> Json:
    first, second, index = owner
    column = series.columns[index]
    return {"first": first, "second": second, "measure": column.measure, "view": column.view}


def _means(
    series: ScoreSeries, differences: Floats, place: tuple[tuple[int, int, int], Integers], weights: Floats
) -> Json:
    """Over the samples that both series scored, so that the difference of the means is the mean difference."""
    (first, second, index), members = place
    both = np.where(np.isnan(differences), 0.0, weights)
    undefined = int(np.isnan(differences).sum())
    return {
        "n": int(differences.size) - undefined,
        "n_undefined": undefined,
        "mean_first": weighted_mean(series.scores[first, members, index], both),
        "mean_second": weighted_mean(series.scores[second, members, index], both),
        "difference": weighted_mean(differences, both),
    }


def sign_flip_rows(series: ScoreSeries, draws: int) -> list[tuple[float | None, str | None]]:
    """p-value and method for the macro row of every pair and column, in the order of ``difference_rows``."""
    differences = _contrasts(series).values
    weights = _macro_weights(differences, series.groups.source_codes())
    return sign_flip_test(np.where(np.isnan(differences), np.nan, differences * weights), series.seed, draws)


def correct(tested: list[Json]) -> None:
    """Add ``p_holm`` and ``favours`` to all tested rows of a comparison, the family of the correction."""
    for row, adjusted in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
        row["p_holm"] = adjusted
        row["favours"] = _favoured(row) if adjusted is not None and adjusted < ALPHA else None


def _favoured(row: Json) -> int:
    second_is_lower = row["difference"] < 0
    better = row["second"] if second_is_lower == lower_is_better(row["measure"], row["view"]) else row["first"]
    return int(better)


def most_different(series: ScoreSeries, chosen: set[tuple[str, str]]) -> list[Json]:
    """For every pair and chosen (measure, view), the samples that differ most: ordinals, scores and differences."""
    contrasts = _contrasts(series)
    found: list[Json] = []
    for index, (first, second, column) in enumerate(contrasts.owners):
        if (series.columns[column].measure, series.columns[column].view) not in chosen:
            continue
        samples = [
            {
                "ordinal": ordinal,
                "score_first": float(series.scores[first, ordinal, column]),
                "score_second": float(series.scores[second, ordinal, column]),
                "difference": float(contrasts.values[ordinal, index]),
            }
            for ordinal in farthest(contrasts.values[:, index], MOST_DIFFERENT).tolist()
        ]
        found.append(_identity(series, (first, second, column)) | {"samples": samples})
    return found
