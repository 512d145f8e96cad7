"""S_S: do independent trainings of one recipe look at the same things (Crum et al. 2023, S_S); higher is steadier."""

import torch
from torch import Tensor

from worker.functional.ssim import pairwise_structural_similarity
from worker.measures.base import PairScores, Score, first_reasons, reasons_of_pair
from worker.salience.maps import SalienceMaps


def stability(runs: list[SalienceMaps]) -> PairScores:
    """SSIM of the native 8-bit maps of K >= 2 models on the same N images, all pairs."""
    values = pairwise_structural_similarity(torch.stack([maps.comparable for maps in runs]))
    pairs = tuple(
        Score(values[row], reasons_of_pair(runs[i], runs[j]))
        for row, (i, j) in enumerate((i, j) for i in range(len(runs)) for j in range(i + 1, len(runs)))
    )
    return PairScores(Score(_mean(values), first_reasons(list(pairs))), pairs)


def _mean(values: Tensor) -> Tensor:
    return values.double().mean(0)
