"""S_S: do independent trainings of one recipe look at the same things (Crum et al. 2023, S_S); higher is steadier."""

import torch
from torch import Tensor

from worker.functional.ssim import pairwise_structural_similarity
from worker.measures.base import PairScores, Score, first_reasons, reasons_of_pair
from worker.views.maps import SalienceMaps


def stability(runs: list[SalienceMaps]) -> PairScores:
    """S_S = mean over pairs i < j of SSIM(map of i, map of j) (Crum et al. 2023, S_S).

    ``runs`` are the clean maps of K >= 2 models on the same N images, all (N, h, w) of one size, compared as 8 bits, at
    input resolution where they are smaller than an SSIM window of 7 x 7. Score and each of the K (K - 1) / 2 pairs are
    (N,) float64 in [-1, 1]; a sample is undefined where any of its maps is. Pairs come in the order (0, 1), (0, 2), ...
    """
    values = pairwise_structural_similarity(torch.stack([maps.comparable for maps in runs]))
    pairs = tuple(
        Score(values[row], reasons_of_pair(runs[i], runs[j]))
        for row, (i, j) in enumerate((i, j) for i in range(len(runs)) for j in range(i + 1, len(runs)))
    )
    return PairScores(Score(_mean(values), first_reasons(list(pairs))), pairs)


def _mean(values: Tensor) -> Tensor:
    return values.double().mean(0)
