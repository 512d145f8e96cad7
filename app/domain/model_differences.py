"""Which models differ by a headline number beyond noise, under each CAM method of an audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from app.domain.differences import snap
from app.domain.measures import ScoreColumn
from app.domain.protocol import Protocol
from app.domain.radar import headline_views
from app.domain.resampling import macro_bootstrap
from app.domain.results.documents import ModelDifference
from app.domain.statistics import Floats, equal_group_weights, percentile_interval, weighted_mean
from app.domain.summaries import Groups
from app.domain.vocabulary import CamMethod


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
    return [
        row
        for of_method in by_method
        for first, second in combinations(of_method, 2)
        for row in _rows(first, second, wanted, protocol.seed, groups)
    ]


def _rows(
    first: MethodScores, second: MethodScores, wanted: set[tuple[str, str]], seed: int, groups: Groups
) -> list[ModelDifference]:
    places = [place for place, column in enumerate(first.columns) if (column.measure, column.view) in wanted]
    if not places:
        return []
    differences, codes = second.scores[:, places] - first.scores[:, places], groups.source_codes()
    lows, highs = percentile_interval(macro_bootstrap(snap(differences), codes, seed, groups.clusters))
    return [
        {
            "measure": first.columns[place].measure,
            "view": first.columns[place].view,
            "method": first.method,
            "model_ids": [first.model_id, second.model_id],
            "difference": weighted_mean(values, equal_group_weights(codes, values)),
            "ci95_low": low,
            "ci95_high": high,
        }
        for place, values, low, high in zip(places, differences.T, lows, highs, strict=True)
    ]
