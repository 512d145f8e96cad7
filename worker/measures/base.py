"""What a measure is: a set of views and a way to score them. No measure runs a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from app.domain.vocabulary import UndefinedReason
from worker.salience.maps import Reasons, SalienceMaps
from worker.views.base import View


@dataclass(frozen=True)
class Score:
    """One column for N samples.

    ``values`` (N,) float64; meaningless where ``reasons`` names why a sample is undefined. ``control`` (N,) float64
    is the same comparison without undoing the view, where that says something.
    """

    values: Tensor
    reasons: Reasons
    control: Tensor | None = None


class Measure(Protocol):
    """Scores clean maps against the maps of its views."""

    @property
    def views(self) -> tuple[View, ...]:
        """The views that it needs; the engine makes each once, whoever else needs it."""

    def score(self, clean: SalienceMaps, changed: Mapping[str, SalienceMaps]) -> dict[str, Score]:
        """Scores by column view name; ``changed`` holds the maps of every view, by view name."""


def reasons_of_pair(clean: SalienceMaps, changed: SalienceMaps) -> Reasons:
    """Undefined where either map is; the clean map's reason comes first."""
    return tuple(
        first or (UndefinedReason.CONSTANT_VIEW_MAP if second is UndefinedReason.CONSTANT_MAP else second)
        for first, second in zip(clean.reasons, changed.reasons, strict=True)
    )


def first_reasons(scores: list[Score]) -> Reasons:
    """A mean over scores is undefined where any of them is."""
    return tuple(
        next((reason for reason in reasons if reason is not None), None)
        for reasons in zip(*(score.reasons for score in scores), strict=True)
    )
