"""S_E: is the salience focused (Crum et al. 2023, S_E); lower means more focused."""

from app.domain.measures.entropy import EntropyReading, EntropySettings
from worker.functional.entropy import histogram_entropy, spatial_entropy
from worker.measures.base import Score, Seen


def entropy(settings: EntropySettings, seen: Seen) -> dict[str, Score]:
    """Both readings of the native clean map, in [0, 1]; it needs no view."""
    del settings
    clean = seen.clean
    return {
        EntropyReading.SPATIAL: Score(spatial_entropy(clean.native), clean.reasons),
        EntropyReading.HISTOGRAM: Score(histogram_entropy(clean.native_8bit), clean.reasons),
    }
