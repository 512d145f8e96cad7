"""How far the entropy of a map rises once the network's weights are random (Hedstroem et al. 2024, eMPRT)."""

from app.domain.vocabulary import UndefinedReason
from worker.functional.entropy import spatial_entropy
from worker.measures.base import PairScores, Score, reasons_of_pair
from worker.views.maps import SalienceMaps


def sanity(pair: list[SalienceMaps]) -> PairScores:
    """(H(twin) - H(model)) / H(model), with H the spatial entropy of the clean native map (arXiv 2401.06465, eMPRT).

    ``pair`` are the maps of a model and of its random twin on the same N images. The score (N,) float64 lies above -1;
    above 0 training has focused the map. Undefined where either map is, and where the model's is one cell, H = 0.
    """
    trained, twin = pair
    before, after = spatial_entropy(trained.native), spatial_entropy(twin.native)
    reasons = tuple(
        reason or (UndefinedReason.ONE_CELL if value == 0 else None)
        for reason, value in zip(reasons_of_pair(trained, twin), before.tolist(), strict=True)
    )
    score = Score((after - before) / before, reasons)
    return PairScores(score, (score,))
