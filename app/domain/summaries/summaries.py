"""Summaries of one model's scores, or of stability across models, by total, label and source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypedDict

import numpy as np

from app.domain.measures import MEASURES, ScoreColumn
from app.domain.results.summaries import Summary
from app.domain.samples.several_labels import parts_of
from app.domain.statistics.aggregates import (
    Floats,
    Integers,
    equal_group_weights,
    histogram,
    weighted_mean,
    weighted_moments,
    weighted_quantiles,
)
from app.domain.statistics.bootstrap import Resampled, bootstrap_blocks, percentile_interval
from app.domain.statistics.resampling import group_seed, macro_bootstrap_blocks
from app.domain.summaries.skill_rows import add_skills
from app.domain.vocabulary import GroupBy

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class ScoreTable:
    """Scores of N samples in V columns; NaN where undefined.

    ``controls`` (N, V) are NaN where a column has none; ``flips`` (N, V) is the share of the column's conditions in
    which the predicted class differs from the clean one, NaN where the column has no conditions. ``has_sides``: maps of
    its two classes are complements, so that scores under a flip are shown apart.
    """

    model_id: str | None
    columns: tuple[ScoreColumn, ...]
    scores: Floats
    controls: Floats
    flips: Floats
    has_sides: bool = False

    def of(self, columns: Sequence[ScoreColumn]) -> "ScoreTable":
        """These columns alone, in its own order."""
        if len(columns) == len(self.columns):
            return self
        places = [place for place, column in enumerate(self.columns) if column in columns]
        scores, controls, flips = (array[:, places] for array in (self.scores, self.controls, self.flips))
        return ScoreTable(self.model_id, tuple(columns), scores, controls, flips, self.has_sides)

    @cached_property
    def controlled(self) -> Integers:
        """The places of the columns that have controls."""
        return np.flatnonzero(~np.isnan(self.controls).all(axis=0))

    @cached_property
    def skilled(self) -> Integers:
        """The places of the columns that have a skill."""
        return np.flatnonzero([MEASURES[column.measure].has_skill for column in self.columns])

    @cached_property
    def blocks(self) -> list[Floats]:
        """What is resampled together: the scores; where there are controls, how far scores lie above them; where there
        are skills, scores beside controls, of which one without a score is none."""
        above = self.scores[:, self.controlled] - self.controls[:, self.controlled]
        own = self.scores[:, self.skilled]
        beside = np.where(np.isnan(own), np.nan, self.controls[:, self.skilled])
        return [
            self.scores,
            *([above] if self.controlled.size else []),
            *([np.concatenate([own, beside], axis=1)] if self.skilled.size else []),
        ]


class SampleGroup(NamedTuple):
    """Samples that are summarised together: ``group`` among those of ``group_by``, and the rows of its members."""

    group_by: str
    group: str
    members: Integers


@dataclass(frozen=True)
class Groups:
    """Label and source of every sample, and of ``further`` columns, by name; a sample may lack any.

    ``clusters`` (N,) are codes of what is resampled together, None where every sample stands for itself.
    ``several``: a sample may have several labels, and belongs to the groups of all of them.
    """

    labels: tuple[str | None, ...]
    sources: tuple[str | None, ...]
    further: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    clusters: Integers | None = None
    several: bool = False

    def named(self) -> Iterator[SampleGroup]:
        """Every label, every source, then the values of each further column."""
        columns = {GroupBy.LABEL: self.labels, GroupBy.SOURCE: self.sources, **self.further}
        if self.several:
            columns.pop(GroupBy.LABEL)
            yield from self._by_single_label()
        for kind, names in columns.items():
            for name in sorted({name for name in names if name is not None}):
                yield SampleGroup(kind, name, np.flatnonzero([other == name for other in names]))

    def clusters_of(self, rows: Integers) -> Integers | None:
        """Codes of what is resampled together among some rows."""
        return None if self.clusters is None else self.clusters[rows]

    def _by_single_label(self) -> Iterator[SampleGroup]:
        sets = [frozenset(parts_of(label)) for label in self.labels]
        for name in sorted(frozenset().union(*sets)):
            yield SampleGroup(GroupBy.LABEL, name, np.flatnonzero([name in own for own in sets]))

    def source_codes(self) -> Integers:
        """An index >= 0 per source; samples without a source form one of their own."""
        codes = {name: code for code, name in enumerate(dict.fromkeys(self.sources))}
        return np.array([codes[name] for name in self.sources], dtype=np.int64)


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
