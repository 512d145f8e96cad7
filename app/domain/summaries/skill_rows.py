"""The skill of measures that are judged against their control, beside each of their summaries."""

from collections.abc import Sequence

from app.domain.results.summaries import Summary
from app.domain.statistics.bootstrap import Resampled
from app.domain.statistics.skill import skill, skill_interval


def add_skills(rows: Sequence[Summary], resampled: Resampled) -> None:
    """``skill``, ``skill_low`` and ``skill_high`` in the rows of one group of samples.

    ``resampled`` are the means of every row's scores and, beside those of all rows, of their controls: both were drawn
    together, as they are paired.
    """
    for place, row in enumerate(rows):
        scores, controls = resampled.means[:, place], resampled.means[:, len(rows) + place]
        low, high = skill_interval(scores, controls) if resampled.varies[place] else (None, None)
        row["skill"] = skill(row["mean"], row["control_mean"])
        row["skill_low"], row["skill_high"] = low, high
