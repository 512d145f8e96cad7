"""Shannon entropy of salience maps, normalised to [0, 1] (Crum et al. 2023, S_E)."""

import math

import torch
from torch import Tensor

LEVELS = 256


def spatial_entropy(maps: Tensor) -> Tensor:
    """Entropy of the salience as a distribution over the cells, divided by log2(h * w): the paper's text.

    -sum(p log2 p) / log2(h w) with p = map / sum(map).

    ``maps`` (N, h, w) float >= 0. Returns (N,) float64; 1 is spread evenly, 0 is a single cell. Meaningless for an
    all-zero map.
    """
    cells = maps.double().flatten(1)
    shares = cells / cells.sum(1, keepdim=True)
    entropy: Tensor = torch.special.entr(shares).sum(1)
    return entropy / math.log(cells.shape[1])


def histogram_entropy_bits(maps: Tensor) -> Tensor:
    """Entropy in bits of the distribution of distinct values: ``maps`` (N, h, w) uint8 -> (N,) float64."""
    cells = maps.flatten(1).long()
    counts = torch.zeros(len(cells), LEVELS, dtype=torch.float64, device=maps.device)
    counts.scatter_add_(1, cells, torch.ones_like(cells, dtype=torch.float64))
    entropy: Tensor = torch.special.entr(counts / cells.shape[1]).sum(1)
    return entropy / math.log(2)


def histogram_entropy(maps: Tensor) -> Tensor:
    """`histogram_entropy_bits` divided by log2(min(256, h * w)): the reading of the authors' notebook.

    ``maps`` (N, h, w) uint8. Returns (N,) float64 in [0, 1]; 0 is a map of one value.
    """
    return histogram_entropy_bits(maps) / math.log2(min(LEVELS, maps.shape[-2] * maps.shape[-1]))
