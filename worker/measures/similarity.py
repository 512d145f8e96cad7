"""The way in which several measures score: how alike the map of a changed image is to the clean one."""

from worker.functional.ssim import structural_similarity
from worker.measures.base import Measure, Score, Seen, reasons_of_pair


def similar_at_input(*views: str) -> Measure:
    """The measure that is the SSIM of 8-bit maps at input resolution, clean image against each of these views."""

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
