"""The scores of one model, or of pairs, as columns over samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.domain.measures import MEASURES, ScoreColumn
from app.domain.statistics.aggregates import (
    Floats,
    Integers,
)


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
