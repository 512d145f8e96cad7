"""S_N: does noise that does not hide the object move the salience (Crum et al. 2023, S_N); higher is steadier."""

from app.domain.measures.noise_reaction import NoiseReactionSettings
from worker.functional.ssim import structural_similarity
from worker.measures.base import Score, Seen, reasons_of_pair


def noise_reaction(settings: NoiseReactionSettings, seen: Seen) -> dict[str, Score]:
    """S_N = SSIM(clean map, noisy map), at each amount of the curve and for each deformation (Crum et al. 2023, S_N).

    Maps are 8-bit, (N, h, w) as the network makes them, or (N, S, S) at input resolution where they are smaller than
    an SSIM window of 7 x 7. Scores (N,) float64 in [-1, 1]; 1 where noise changes nothing.
    """
    return {
        name: Score(
            structural_similarity(seen.clean.comparable, seen.changed[name].comparable),
            reasons_of_pair(seen.clean, seen.changed[name]),
        )
        for name in settings.views
    }
