"""S_G: does the salience follow the image when it moves (Crum et al. 2023, S_G, Table 2); higher follows better."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from app.domain.measures.geometric_resilience import GeometricResilienceSettings
from app.domain.vocabulary import Reasons, UndefinedReason
from worker.functional.ssim import structural_similarity, structural_similarity_within
from worker.measures.base import Score, Seen, first_reasons, reasons_of_pair


def geometric_resilience(settings: GeometricResilienceSettings, seen: Seen) -> dict[str, Score]:
    """S_G = SSIM(clean map, map carried back), and as control SSIM(clean map, map) (Crum et al. 2023, S_G, Table 2).

    Maps (N, S, S) are 8-bit at input resolution; with ``overlap`` only what a shift leaves inside is compared, of moves
    always only that. Scores and controls (N,) float64 in [-1, 1]; a map that stands still scores its control. A group
    of views is scored by the mean of its members, and undefined where one of them is.
    """
    scores = {name: _score(seen, name) for name in settings.views}
    groups = {name: _mean([scores[member] for member in members]) for name, members in settings.aggregates.items()}
    moved = {name: _score(seen, name) for name in settings.moved_views}
    return scores | groups | moved


def _score(seen: Seen, name: str) -> Score:
    """Of one view: (N,) float64 in [-1, 1]."""
    view, clean, changed = seen.views[name], seen.clean, seen.changed[name]
    carried = view.carry_back(changed.at_input, seen.samples)
    reference, similarity = view.compared(clean.at_input), _similarity(carried.seen)
    values = similarity(reference, view.compared(carried.maps))
    return Score(
        values,
        _reasons(reasons_of_pair(clean, changed), values),
        control=similarity(reference, view.compared(changed.at_input)),
    )


def _reasons(reasons: Reasons, values: Tensor) -> Reasons:
    """Undefined too where nothing could be compared: a small image that a move leaves little of."""
    return tuple(
        reason or (UndefinedReason.TOO_LITTLE_IN_COMMON if missing else None)
        for reason, missing in zip(reasons, values.isnan().tolist(), strict=True)
    )


def _similarity(seen: Tensor | None) -> Callable[[Tensor, Tensor], Tensor]:
    """Where both maps saw the image: of masks that are no rectangle, over the windows within."""
    return structural_similarity if seen is None else partial(structural_similarity_within, masks=seen)


def _mean(scores: list[Score]) -> Score:
    """Of the same N samples under each view: (N,) float64."""
    controls = [score.control for score in scores if score.control is not None]
    values = torch.stack([score.values for score in scores]).mean(0)
    return Score(values, first_reasons(scores), control=torch.stack(controls).mean(0))
