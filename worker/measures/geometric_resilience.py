"""S_G: does the salience follow the image when it moves (Crum et al. 2023, S_G, Table 2); higher follows better."""

from collections.abc import Mapping

import torch

from worker.functional.ssim import structural_similarity
from worker.measures.base import Score, first_reasons, reasons_of_pair
from worker.salience.maps import SalienceMaps
from worker.views.base import View


class GeometricResilience:
    """SSIM of the clean map and the view's map carried back; the control is the SSIM without carrying it back.

    ``aggregates`` names groups of views, scored by the mean of their members.
    """

    def __init__(self, views: tuple[View, ...], aggregates: Mapping[str, tuple[str, ...]]) -> None:
        self.views = views
        self.aggregates = aggregates

    def score(self, clean: SalienceMaps, changed: Mapping[str, SalienceMaps]) -> dict[str, Score]:
        scores = {view.name: _score(view, clean, changed[view.name]) for view in self.views}
        groups = {name: _mean([scores[member] for member in members]) for name, members in self.aggregates.items()}
        return scores | groups


def _score(view: View, clean: SalienceMaps, changed: SalienceMaps) -> Score:
    reference = view.compared(clean.at_input)
    return Score(
        structural_similarity(reference, view.compared(view.carry_back(changed.at_input))),
        reasons_of_pair(clean, changed),
        control=structural_similarity(reference, view.compared(changed.at_input)),
    )


def _mean(scores: list[Score]) -> Score:
    controls = [score.control for score in scores if score.control is not None]
    values = torch.stack([score.values for score in scores]).mean(0)
    return Score(values, first_reasons(scores), control=torch.stack(controls).mean(0))
