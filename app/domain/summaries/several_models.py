"""Summaries over several models: their means, and pairs of them."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from app.domain.measures import ScoreColumn
from app.domain.results.summaries import AcrossModels, PairReport
from app.domain.statistics.aggregates import Floats, mean, weighted_moments
from app.domain.statistics.bootstrap import Resampled, percentile_interval
from app.domain.summaries.summarising import Interval, Summarised
from app.domain.vocabulary import GroupBy


def across_models(columns: tuple[ScoreColumn, ...], models: list[Summarised]) -> list[AcrossModels]:
    """Mean and population spread over models of their total means: one row a measure, view and total.

    The interval is of that mean, by resampling samples; how much other training runs differ is the spread.
    """
    means: dict[tuple[str, str, str], list[float]] = {}
    for summary in (row for model in models for row in model.rows):
        if summary["group_by"] == GroupBy.TOTAL and summary["mean"] is not None:
            key = (summary["measure"], summary["view"], summary["group"])
            means.setdefault(key, []).append(summary["mean"])
    intervals = _intervals_over_models(columns, models)
    return [_across(key, np.array(values), intervals[key]) for key, values in means.items()]


def _intervals_over_models(
    columns: tuple[ScoreColumn, ...], models: list[Summarised]
) -> dict[tuple[str, str, str], Interval]:
    """Of the mean over models: all models were resampled alike, since the seed belongs to the group of samples."""
    found: dict[tuple[str, str, str], Interval] = {}
    for total in models[0].resampled:
        lows, highs = percentile_interval(_mean_over_models([model.resampled[total] for model in models]))
        for column, low, high in zip(columns, lows, highs, strict=True):
            found[column.measure, column.view, total] = {"ci95_low": low, "ci95_high": high}
    return found


def _mean_over_models(resampled: list[Resampled]) -> Resampled:
    """A model without any score in a resample is left out of its mean; one that varies lets the mean vary."""
    stacked = np.stack([one.means for one in resampled])
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.nansum(stacked, axis=0) / (~np.isnan(stacked)).sum(axis=0)
    return Resampled(means, np.any([one.varies for one in resampled], axis=0))


def _across(key: tuple[str, str, str], values: Floats, interval: Interval) -> AcrossModels:
    centre = mean(values)
    spread = weighted_moments(values, np.ones_like(values))[1]
    return {
        "measure": key[0],
        "view": key[1],
        "group_by": GroupBy.TOTAL,
        "group": key[2],
        "n_models": int(values.size),
        "mean": centre,
        "std": spread,
        "min": float(values.min()),
        "max": float(values.max()),
        **interval,
        "says_nothing": [],
    }


def pair_report(pairs: Floats, model_ids: list[str], within: Sequence[tuple[int, int]] | None = None) -> PairReport:
    """Stability by pair of runs: the K x K matrix of mean SSIM and the run that stands apart.

    ``pairs`` (N, P) in the order of ``within``, by default all K (K - 1) / 2 with i < j, NaN where either map is
    undefined. The run apart is the one whose mean SSIM to the others is lowest; with two runs there is none.
    """
    count = len(model_ids)
    matrix: list[list[float | None]] = [[1.0 if i == j else None for j in range(count)] for i in range(count)]
    for column, (i, j) in enumerate(combinations(range(count), 2) if within is None else within):
        matrix[i][j] = matrix[j][i] = mean(pairs[:, column])
    to_others = [_mean_to_others(row, own) for own, row in enumerate(matrix)]
    known = [value for value in to_others if value is not None]
    apart = model_ids[to_others.index(min(known))] if count > 2 and known else None
    return {"model_ids": model_ids, "pair_means": matrix, "mean_to_others": to_others, "apart_model_id": apart}


def _mean_to_others(row: list[float | None], own: int) -> float | None:
    values = [value for other, value in enumerate(row) if other != own and value is not None]
    return math.fsum(values) / len(values) if values else None
