"""The macro totals of every series."""

from itertools import count

import numpy as np

from app.domain.comparisons.series import ScoreSeries
from app.domain.measures import ScoreColumn
from app.domain.results.comparisons import SideTotal
from app.domain.statistics.aggregates import Floats, Integers, equal_group_weights, weighted_mean
from app.domain.statistics.bootstrap import percentile_interval
from app.domain.statistics.differences import snap
from app.domain.statistics.resampling import macro_bootstrap


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
