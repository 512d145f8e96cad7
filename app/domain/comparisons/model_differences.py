"""Which models differ by a headline number beyond noise, under each CAM method of an audit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, islice

from app.domain.measures import ScoreColumn
from app.domain.protocol import Protocol
from app.domain.results.radar import headline_views
from app.domain.results.ranks import ModelDifference
from app.domain.statistics.aggregates import Floats, equal_group_weights, weighted_mean
from app.domain.statistics.bootstrap import percentile_interval
from app.domain.statistics.differences import snap
from app.domain.statistics.resampling import macro_bootstrap_blocks
from app.domain.summaries.groups import Groups
from app.domain.vocabulary import CamMethod

PAIRS_AT_ONCE = 8
"""Whose differences are in memory together."""


@dataclass(frozen=True)
class MethodScores:
    """A model's scores (N, V) under a method; NaN where undefined."""

    model_id: str
    method: CamMethod
    columns: tuple[ScoreColumn, ...]
    scores: Floats


def model_differences(models: Sequence[MethodScores], protocol: Protocol, groups: Groups) -> list[ModelDifference]:
    """Of every headline number, method and pair of models: the macro mean of second minus first over the samples that
    both scored, with its interval by resampling samples (clusters) in pairs. None of one method or one model: there is
    nothing to rank.

    ``models`` stand method by method, as subjects do.
    """
    by_method = [list(of_method) for _, of_method in groupby(models, key=lambda one: one.method)]
    if len(by_method) < 2:
        return []
    wanted = {(measure, view) for measure, views in headline_views(protocol).items() for view in views}
    rows: list[ModelDifference] = []
    for of_method in by_method:
        pairs = combinations(of_method, 2)
        while at_once := list(islice(pairs, PAIRS_AT_ONCE)):
            rows += _rows(at_once, wanted, protocol.seed, groups)
    return rows


def _rows(
    pairs: Sequence[tuple[MethodScores, MethodScores]], wanted: set[tuple[str, str]], seed: int, groups: Groups
) -> Iterator[ModelDifference]:
    """By the same resamples of all: to draw them costs far more than to add up."""
    columns = pairs[0][0].columns
    places = [place for place, column in enumerate(columns) if (column.measure, column.view) in wanted]
    if not places:
        return
    codes = groups.source_codes()
    differences = [second.scores[:, places] - first.scores[:, places] for first, second in pairs]
    drawn = macro_bootstrap_blocks([snap(one) for one in differences], codes, seed, groups.clusters)
    for (first, second), own, resampled in zip(pairs, differences, drawn, strict=True):
        for place, values, low, high in zip(places, own.T, *percentile_interval(resampled), strict=True):
            yield {
                "measure": columns[place].measure,
                "view": columns[place].view,
                "method": first.method,
                "model_ids": [first.model_id, second.model_id],
                "difference": weighted_mean(values, equal_group_weights(codes, values)),
                "ci95_low": low,
                "ci95_high": high,
            }
