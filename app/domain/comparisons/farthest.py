"""The samples in which two series differ most."""

from typing import TypedDict

from app.domain.comparisons.series import ScoreSeries, contrasts_of
from app.domain.statistics.differences import farthest

MOST_DIFFERENT = 10


class FarSample(TypedDict):
    """A sample by its ordinal, and what two series scored in it."""

    ordinal: int
    score_first: float
    score_second: float
    difference: float


class FarSamples(TypedDict):
    """The samples in which two series differ most, by one column."""

    first: int
    second: int
    measure: str
    view: str
    samples: list[FarSample]


def most_different(series: ScoreSeries, chosen: set[tuple[str, str]]) -> list[FarSamples]:
    """For every pair and chosen (measure, view), the samples that differ most: ordinals, scores and differences."""
    contrasts = contrasts_of(series)
    found: list[FarSamples] = []
    for index, owner in enumerate(contrasts.owners):
        column = series.columns[owner.column]
        if (column.measure, column.view) not in chosen:
            continue
        samples: list[FarSample] = [
            {
                "ordinal": ordinal,
                "score_first": float(series.scores[owner.first, ordinal, owner.column]),
                "score_second": float(series.scores[owner.second, ordinal, owner.column]),
                "difference": float(contrasts.values[ordinal, index]),
            }
            for ordinal in farthest(contrasts.values[:, index], MOST_DIFFERENT).tolist()
        ]
        found.append(
            {
                "first": owner.first,
                "second": owner.second,
                "measure": column.measure,
                "view": column.view,
                "samples": samples,
            }
        )
    return found
