"""S_E: is the salience focused (Crum et al. 2023, S_E); lower means more focused."""

from app.domain.measures.entropy import EntropyReading, EntropySettings
from worker.functional.entropy import histogram_entropy, spatial_entropy
from worker.measures.base import Score, Seen


def entropy(settings: EntropySettings, seen: Seen) -> dict[str, Score]:
    """Shannon entropy of the clean maps at native resolution, in both readings; no view is needed.

    ``spatial``, from float maps (N, h, w) with p = map / sum(map): -sum(p log2 p) / log2(h w), the text of Crum et al.
    2023, S_E. ``histogram``, from 8-bit maps, with p the share of each of 256 values:
    -sum(p log2 p) / log2(min(256, h w)), their notebook. Scores (N,) float64 in [0, 1]; 0 is one cell (spatial) or one
    value (histogram).
    """
    del settings
    clean = seen.clean
    return {
        EntropyReading.SPATIAL: Score(spatial_entropy(clean.native), clean.reasons),
        EntropyReading.HISTOGRAM: Score(histogram_entropy(clean.native_8bit), clean.reasons),
    }
