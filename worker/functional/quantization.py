"""From raw salience to maps in [0, 1] and to 8 bits."""

import math

import torch
from torch import Tensor


def min_max(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Scale every map to [0, 1], without an epsilon.

    ``raw`` (N, h, w) float. Returns maps of the same shape and dtype, and (N,) bool: whether a map is constant or
    not finite. Such a map carries no salience and comes back as zeros.
    """
    low, high = raw.amin((1, 2), keepdim=True), raw.amax((1, 2), keepdim=True)
    span = high - low
    usable = (span > 0) & (span < math.inf)
    maps = ((raw - low) / span).where(usable, 0)
    return maps, ~usable.view(-1)


def to_8bit(maps: Tensor) -> Tensor:
    """Truncate ``maps`` (...) float in [0, 1] to uint8 levels 0..255; the product is made in the maps' own dtype."""
    return (maps * 255).to(torch.uint8)
