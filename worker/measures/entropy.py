"""S_E: is the salience focused (Crum et al. 2023, S_E); lower means more focused."""

from collections.abc import Mapping

from app.domain.vocabulary import EntropyReading
from worker.functional.entropy import histogram_entropy, spatial_entropy
from worker.measures.base import Score
from worker.salience.maps import SalienceMaps
from worker.views.base import View


class Entropy:
    """Both readings of the native clean map; it needs no view."""

    views: tuple[View, ...] = ()

    def score(self, clean: SalienceMaps, changed: Mapping[str, SalienceMaps]) -> dict[str, Score]:
        del changed
        return {
            EntropyReading.SPATIAL: Score(spatial_entropy(clean.native), clean.reasons),
            EntropyReading.HISTOGRAM: Score(histogram_entropy(clean.native_8bit), clean.reasons),
        }
