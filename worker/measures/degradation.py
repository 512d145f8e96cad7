"""S_D: does it matter to the model when what it points at is blurred away, or all the rest (Table 1)."""

from collections.abc import Mapping

from worker.functional.ssim import structural_similarity
from worker.measures.base import Score, reasons_of_pair
from worker.salience.maps import SalienceMaps
from worker.views.base import View


class Degradation:
    """SSIM of 8-bit maps at input resolution: clean image against degraded image."""

    def __init__(self, views: tuple[View, ...]) -> None:
        self.views = views

    def score(self, clean: SalienceMaps, changed: Mapping[str, SalienceMaps]) -> dict[str, Score]:
        return {
            view.name: Score(
                structural_similarity(clean.at_input, changed[view.name].at_input),
                reasons_of_pair(clean, changed[view.name]),
            )
            for view in self.views
        }
