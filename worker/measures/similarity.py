"""The way in which several measures score: how alike the map of a changed image is to the clean one."""

from worker.functional.ssim import structural_similarity
from worker.measures.base import Measure, Score, Seen, reasons_of_pair


def similar_at_input(*views: str) -> Measure:
    """The measure that is SSIM(clean map, view's map) for each of these views.

    Maps are 8-bit at input resolution, (N, S, S) uint8; scores (N,) float64 in [-1, 1] by Wang et al. 2004 with
    scikit-image's defaults (`worker.functional.ssim`), undefined where either map is.
    """

    def score(settings: object, seen: Seen) -> dict[str, Score]:
        del settings
        return {
            name: Score(
                structural_similarity(seen.clean.at_input, seen.changed[name].at_input),
                reasons_of_pair(seen.clean, seen.changed[name]),
            )
            for name in views
        }

    return score
