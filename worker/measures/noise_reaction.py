"""S_N: does noise that does not hide the object move the salience (Crum et al. 2023, S_N); higher is steadier."""

from collections.abc import Mapping

from worker.functional.ssim import structural_similarity
from worker.measures.base import Score, reasons_of_pair
from worker.salience.maps import SalienceMaps
from worker.views.base import View


class NoiseReaction:
    """SSIM of native 8-bit maps, clean against noisy, at each amount of the curve."""

    def __init__(self, views: tuple[View, ...]) -> None:
        self.views = views

    def score(self, clean: SalienceMaps, changed: Mapping[str, SalienceMaps]) -> dict[str, Score]:
        return {
            view.name: Score(
                structural_similarity(clean.comparable, changed[view.name].comparable),
                reasons_of_pair(clean, changed[view.name]),
            )
            for view in self.views
        }
