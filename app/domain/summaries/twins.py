"""How far a model's numbers lie from those of its random twin: the same network, which learnt nothing."""

from collections.abc import Collection

import numpy as np

from app.domain.measures import lower_is_better
from app.domain.results.twins import TwinDistance
from app.domain.statistics.aggregates import Floats, equal_group_weights, weighted_mean
from app.domain.statistics.bootstrap import percentile_interval
from app.domain.statistics.differences import snap
from app.domain.statistics.resampling import macro_bootstrap
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable


def twin_distances(
    own: ScoreTable, twin: ScoreTable, wanted: Collection[tuple[str, str]], groups: Groups, seed: int
) -> list[TwinDistance]:
    """Of the columns that are ``wanted`` by measure and view: macro means over the samples that both scored, and the
    interval of the mean paired difference, model minus twin.
    """
    places = [place for place, column in enumerate(own.columns) if (column.measure, column.view) in wanted]
    if not places:
        return []
    differences = own.scores[:, places] - twin.scores[:, places]
    codes = groups.source_codes()
    lows, highs = percentile_interval(macro_bootstrap(snap(differences), codes, seed, groups.clusters))
    rows: list[TwinDistance] = []
    for number, place in enumerate(places):
        column, both = own.columns[place], differences[:, number]
        weights = equal_group_weights(codes, both)
        rows.append(
            {
                "measure": column.measure,
                "view": column.view,
                "n": int((~np.isnan(both)).sum()),
                "mean": _mean(own.scores[:, place], both, weights),
                "random_mean": _mean(twin.scores[:, place], both, weights),
                "difference": weighted_mean(both, weights),
                "ci95_low": lows[number],
                "ci95_high": highs[number],
                "better": _is_better(column.measure, column.view, lows[number], highs[number]),
            }
        )
    return rows


def _mean(scores: Floats, both: Floats, weights: Floats) -> float | None:
    return weighted_mean(np.where(np.isnan(both), np.nan, scores), weights)


def _is_better(measure: str, view: str, low: float | None, high: float | None) -> bool | None:
    if low is None or high is None:
        return None
    return high < 0 if lower_is_better(measure, view) else low > 0
