"""The differences between an audit and its baseline, for the conditions of a gate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.domain.comparisons.difference_rows import UNTESTED, difference_rows
from app.domain.comparisons.series import ScoreSeries
from app.domain.measures import ScoreColumn
from app.domain.results.comparisons import DifferenceRow
from app.domain.statistics.aggregates import Floats, equal_group_weights, mean, weighted_mean
from app.domain.statistics.bootstrap import Resampled, bootstrap, percentile_interval
from app.domain.statistics.differences import snap
from app.domain.statistics.resampling import group_seed, macro_bootstrap
from app.domain.vocabulary import GroupBy

PAIRED = "paired on the same samples"
OVER_COMMON_VIEWS = "over the views that both have, since an input that is not square has no quarter turns"
UNPAIRED = "not paired: the two audits looked at different samples"


def paired_rows(baseline: ScoreSeries, audit: ScoreSeries) -> list[DifferenceRow]:
    """As in a comparison, for the same samples: each series of the audit against the baseline's one series."""
    both = np.concatenate([baseline.scores, audit.scores])
    return difference_rows(ScoreSeries(both, audit.columns, audit.groups, audit.seed, against_first=True))


def unpaired_rows(baseline: ScoreSeries, audit: ScoreSeries) -> list[DifferenceRow]:
    """Rows of the same shape for different samples, over the groups that both have.

    The interval is the percentile interval of the difference of two independent bootstraps.
    """
    apart = replace(baseline, seed=group_seed(baseline.seed, GroupBy.TOTAL, "baseline"))
    theirs = {(group.by, group.name): group for group in _groups(apart, 0)}
    return [
        row
        for number in range(len(audit.scores))
        for own in _groups(audit, number)
        if (own.by, own.name) in theirs
        for row in _rows(theirs[own.by, own.name], own, audit.columns, number + 1)
    ]


@dataclass(frozen=True)
class _Group:
    """One series' scores of a group (N, V), their means (V,) and their resamples."""

    by: str
    name: str
    scores: Floats
    means: list[float | None]
    resampled: Resampled


def _groups(series: ScoreSeries, number: int) -> Iterator[_Group]:
    codes = series.groups.source_codes()
    for group_by, name, members in series.sample_groups():
        scores = series.scores[number, members]
        if name == "macro" and group_by == GroupBy.TOTAL:
            resampled = macro_bootstrap(snap(scores), codes, series.seed, series.groups.clusters)
            means = [weighted_mean(column, equal_group_weights(codes, column)) for column in scores.T]
        else:
            clusters = series.groups.clusters_of(members)
            resampled = bootstrap(snap(scores), group_seed(series.seed, group_by, name), clusters)
            means = [mean(column) for column in scores.T]
        yield _Group(group_by, name, scores, means, resampled)


def _rows(theirs: _Group, own: _Group, columns: tuple[ScoreColumn, ...], second: int) -> list[DifferenceRow]:
    mine, others = own.resampled, theirs.resampled
    lows, highs = percentile_interval(Resampled(mine.means - others.means, mine.varies | others.varies))
    rows: list[DifferenceRow] = []
    for index, column in enumerate(columns):
        before, after = theirs.means[index], own.means[index]
        values = own.scores[:, index]
        rows.append(
            {
                "first": 0,
                "second": second,
                "measure": column.measure,
                "view": column.view,
                "group_by": own.by,
                "group": own.name,
                "n": int((~np.isnan(values)).sum()),
                "n_undefined": int(np.isnan(values).sum()),
                "mean_first": before,
                "mean_second": after,
                "difference": None if before is None or after is None else after - before,
                "ci95_low": lows[index],
                "ci95_high": highs[index],
                **UNTESTED,
                "says_nothing": [],
            }
        )
    return rows
