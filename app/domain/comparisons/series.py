"""Scores of several series on the same samples, and the differences of every two of them."""

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from app.domain.measures import ScoreColumn
from app.domain.statistics.aggregates import Floats, Integers, equal_group_weights
from app.domain.summaries.groups import Groups, SampleGroup
from app.domain.vocabulary import GroupBy


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


class Contrast(NamedTuple):
    """The places of two series, and of a column that both have."""

    first: int
    second: int
    column: int


@dataclass(frozen=True)
class Contrasts:
    """Differences (N, P * V), second series minus first, pair by pair, and what each belongs to."""

    values: Floats
    owners: list[Contrast]


def contrasts_of(series: ScoreSeries) -> Contrasts:
    owners = [Contrast(a, b, column) for a, b in series.pairs for column in range(len(series.columns))]
    parts = [series.scores[b] - series.scores[a] for a, b in series.pairs]
    return Contrasts(np.concatenate(parts, axis=1), owners)


def macro_weights(differences: Floats, codes: Integers) -> Floats:
    return np.stack([equal_group_weights(codes, column) for column in differences.T], axis=1)
