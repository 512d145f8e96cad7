"""Summaries of one model's scores, or of stability across models, by total, label and source."""

from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np

from app.domain.measures import MEASURES
from app.domain.results.summaries import Summary
from app.domain.statistics.aggregates import (
    Floats,
    equal_group_weights,
    histogram,
    weighted_mean,
    weighted_moments,
    weighted_quantiles,
)
from app.domain.statistics.bootstrap import Resampled, bootstrap_blocks, percentile_interval
from app.domain.statistics.resampling import group_seed, macro_bootstrap_blocks
from app.domain.summaries.groups import Groups, SampleGroup
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.skill_rows import add_skills
from app.domain.vocabulary import GroupBy

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Summarised:
    """Summaries, not judged yet, and of each total the resamples behind its intervals."""

    rows: list[Summary]
    resampled: dict[str, Resampled]


def summarise(table: ScoreTable, groups: Groups, seed: int) -> Summarised:
    """One summary a column for each of: total micro, total macro, every label, every source."""
    if not table.columns:  # a protocol of stability alone asks nothing of a single model
        return Summarised([], {})
    everything, codes = np.arange(len(table.scores)), groups.source_codes()
    resampled = {
        "micro": bootstrap_blocks(table.blocks, group_seed(seed, GroupBy.TOTAL, "micro"), groups.clusters),
        "macro": macro_bootstrap_blocks(table.blocks, codes, seed, groups.clusters),
    }
    by_source = np.stack([equal_group_weights(codes, column) for column in table.scores.T], axis=1)
    weights = {"micro": np.ones_like(by_source), "macro": by_source}
    blocks = [
        _summaries(table, SampleGroup(GroupBy.TOTAL, total, everything), weights[total], means)
        for total, means in resampled.items()
    ]
    blocks += [_block(table, group, groups, seed) for group in groups.named()]
    rows = [summary for column in zip(*blocks, strict=True) for summary in column]
    _count_clusters(rows, table, groups)
    return Summarised(rows, {total: means[0] for total, means in resampled.items()})


def _block(table: ScoreTable, group: SampleGroup, groups: Groups, seed: int) -> list[Summary]:
    scores = [block[group.members] for block in table.blocks]
    clusters = groups.clusters_of(group.members)
    resampled = bootstrap_blocks(scores, group_seed(seed, group.group_by, group.group), clusters)
    return _summaries(table, group, np.ones((len(group.members), len(table.columns))), resampled)


def _count_clusters(rows: list[Summary], table: ScoreTable, groups: Groups) -> None:
    """``n_clusters`` beside ``n``: how many clusters the samples that have a score are of."""
    if groups.clusters is None:
        return
    members = {(kind, name): places for kind, name, places in groups.named()}
    places = {(column.measure, column.view): place for place, column in enumerate(table.columns)}
    everything = np.arange(len(table.scores))
    for row in rows:
        own = members.get((row["group_by"], row["group"]), everything)
        scores = table.scores[own, places[row["measure"], row["view"]]]
        row["n_clusters"] = np.unique(groups.clusters[own][~np.isnan(scores)]).size


class Interval(TypedDict):
    ci95_low: float | None
    ci95_high: float | None


Bounds = tuple[float | None, float | None]


class _Column(NamedTuple):
    """The samples of a group in one column, and their weights."""

    group: SampleGroup
    place: int
    weights: Floats


def _summaries(table: ScoreTable, group: SampleGroup, weights: Floats, resampled: list[Resampled]) -> list[Summary]:
    lows, highs = percentile_interval(resampled[0])
    above = _above_control(table, resampled)
    rows = [
        _summary(
            table,
            _Column(group, index, weights[:, index]),
            (lows[index], highs[index]),
            above.get(index, (None, None)),
        )
        for index in range(len(table.columns))
    ]
    if table.skilled.size:
        add_skills([rows[place] for place in table.skilled], resampled[-1])
    return rows


def _above_control(table: ScoreTable, resampled: list[Resampled]) -> dict[int, Bounds]:
    """By column, the interval of the mean of score minus control; of a column without a control, nothing."""
    if not table.controlled.size:
        return {}
    bounds = zip(*percentile_interval(resampled[1]), strict=True)
    return dict(zip(table.controlled.tolist(), bounds, strict=True))


def _summary(table: ScoreTable, where: _Column, interval: Bounds, above_control: Bounds) -> Summary:
    """The control and the flip rate are over the same samples as the score and under its weights."""
    column, weights = table.columns[where.place], where.weights
    values = table.scores[where.group.members, where.place]
    flips, controls = table.flips[where.group.members, where.place], table.controls[where.group.members, where.place]
    low, high = column.value_range or MEASURES[column.measure].value_range
    undefined = int(np.isnan(values).sum())
    defined = np.where(np.isnan(values), 0.0, weights)
    centre, spread = weighted_moments(values, weights)
    quantiles = weighted_quantiles(values, weights, QUANTILES)
    summary: Summary = {
        "measure": column.measure,
        "view": column.view,
        "model_id": table.model_id,
        "group_by": where.group.group_by,
        "group": where.group.group,
        "n": int(values.size) - undefined,
        "n_undefined": undefined,
        "mean": centre,
        "std": spread,
        "p05": quantiles[0],
        "p25": quantiles[1],
        "p50": quantiles[2],
        "p75": quantiles[3],
        "p95": quantiles[4],
        "histogram": {"low": low, "high": high, "counts": histogram(values, low, high)},
        "ci95_low": interval[0],
        "ci95_high": interval[1],
        "control_mean": weighted_mean(controls, defined),
        "flip_rate": weighted_mean(flips, defined if defined.any() else np.ones_like(weights)),
        "above_control_low": above_control[0],
        "above_control_high": above_control[1],
        "says_nothing": [],
    }
    if column.given is not None:
        summary["similarity"] = column.given.similarity
    if table.has_sides:
        _tell_sides(summary, values, flips, weights)
    return summary


def _tell_sides(summary: Summary, values: Floats, flips: Floats, weights: Floats) -> None:
    """Of samples that keep their prediction in all of a column's conditions, and of those that do not; nothing where a
    column has no conditions."""
    if np.isnan(flips).all():
        return
    flipped = ~np.isnan(values) & (flips > 0)
    summary["n_flipped"] = int(flipped.sum())
    summary["mean_kept"] = weighted_mean(np.where(flips == 0, values, np.nan), weights)
    summary["mean_flipped"] = weighted_mean(np.where(flipped, values, np.nan), weights)
