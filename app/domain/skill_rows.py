"""The skill of measures that are judged against their control, beside each of their summaries."""

from collections.abc import Iterator

import numpy as np

from app.domain.measures import MEASURES
from app.domain.resampling import group_seed, macro_bootstrap
from app.domain.results.documents import Summary
from app.domain.skill import skill, skill_interval
from app.domain.statistics import Resampled, bootstrap
from app.domain.summaries import Groups, ScoreTable
from app.domain.vocabulary import GroupBy


def add_skills(rows: list[Summary], table: ScoreTable, groups: Groups, seed: int) -> None:
    """``skill``, ``skill_low`` and ``skill_high`` in the rows that `summarise` made of this table.

    The interval resamples samples, scores and controls together, as they are paired.
    """
    places = [index for index, column in enumerate(table.columns) if MEASURES[column.measure].has_skill]
    if not places:
        return
    found = {(row["measure"], row["view"], row["group_by"], row["group"]): row for row in rows}
    for group_by, group, resampled in _resamples(table, places, groups, seed):
        for number, place in enumerate(places):
            column = table.columns[place]
            row = found[column.measure, column.view, group_by, group]
            scores, controls = resampled.means[:, number], resampled.means[:, len(places) + number]
            low, high = skill_interval(scores, controls) if resampled.varies[number] else (None, None)
            row["skill"] = skill(row["mean"], row["control_mean"])
            row["skill_low"], row["skill_high"] = low, high


def _resamples(table: ScoreTable, places: list[int], groups: Groups, seed: int) -> Iterator[tuple[str, str, Resampled]]:
    """Of every group the resampled means of scores and, beside them, controls; a control without a score is none."""
    scores = table.scores[:, places]
    both = np.concatenate([scores, np.where(np.isnan(scores), np.nan, table.controls[:, places])], axis=1)
    yield GroupBy.TOTAL, "micro", bootstrap(both, group_seed(seed, GroupBy.TOTAL, "micro"), groups.clusters)
    yield GroupBy.TOTAL, "macro", macro_bootstrap(both, groups.source_codes(), seed, groups.clusters)
    for kind, name, members in groups.named():
        yield kind, name, bootstrap(both[members], group_seed(seed, kind, name), groups.clusters_of(members))
