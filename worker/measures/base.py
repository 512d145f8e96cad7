"""What a measure is: a set of views and a way to score them. No measure runs a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from app.domain.maps.undefined import reasons_of
from app.domain.vocabulary import Reasons
from worker.views.base import View
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class Score:
    """One column for N samples.

    ``values`` (N,) float64; meaningless where ``reasons`` names why a sample is undefined. ``control`` (N,) float64
    is the same comparison without undoing the view, where that says something.
    """

    values: Tensor
    reasons: Reasons
    control: Tensor | None = None


@dataclass(frozen=True)
class Answers:
    """Softmax of one class each for N samples, (N,) float64: of the class predicted for the clean image, and of the
    label. NaN where there is none."""

    followed: Tensor
    label: Tensor


@dataclass(frozen=True)
class Seen:
    """What a measure scores: the ``clean`` maps of N ``samples``, and for every view its maps and how it was made.

    ``answers`` are what the model said of the clean images and of every view, for measures of scores.
    """

    clean: SalienceMaps
    changed: Mapping[str, SalienceMaps]
    views: Mapping[str, View]
    samples: Sequence[str]
    answers: Mapping[str, Answers] = field(default_factory=dict)


Measure = Callable[[Any, Seen], dict[str, Score]]
"""From a measure's settings and what was seen to its scores, by view of its columns."""


@dataclass(frozen=True)
class PairScores:
    """``score`` is the mean over all pairs i < j of K subjects, undefined where any map is; ``pairs`` are its parts."""

    score: Score
    pairs: tuple[Score, ...]


Pairing = Callable[[list[SalienceMaps]], PairScores]
"""From the clean maps of K >= 2 subjects of the same N samples."""


def reasons_of_pair(clean: SalienceMaps, changed: SalienceMaps) -> Reasons:
    """Undefined where either map is; the clean map's reason comes first."""
    return reasons_of(clean.reasons, changed.reasons)


def first_reasons(scores: list[Score]) -> Reasons:
    """A mean over scores is undefined where any of them is."""
    return tuple(
        next((reason for reason in reasons if reason is not None), None)
        for reasons in zip(*(score.reasons for score in scores), strict=True)
    )
