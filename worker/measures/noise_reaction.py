"""S_N: does noise that does not hide the object move the salience (Crum et al. 2023, S_N); higher is steadier."""

from app.domain.measures.noise_reaction import NoiseReactionSettings
from app.domain.views import noise_view
from worker.functional.ssim import structural_similarity
from worker.measures.base import Score, Seen, reasons_of_pair


def noise_reaction(settings: NoiseReactionSettings, seen: Seen) -> dict[str, Score]:
    """SSIM of native 8-bit maps, clean against noisy, at each amount of the curve."""
    names = [noise_view(amount) for amount in settings.amounts]
    return {
        name: Score(
            structural_similarity(seen.clean.comparable, seen.changed[name].comparable),
            reasons_of_pair(seen.clean, seen.changed[name]),
        )
        for name in names
    }
