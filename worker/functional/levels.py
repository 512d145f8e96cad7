"""From values to 8-bit levels, as ImageNet-C's authors have it, and what a corruption takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Values = NDArray[np.float64]
Numbers = Sequence[float]
Stream = np.random.Generator


def eight_bits(values: NDArray[Any]) -> Pixels:
    """Values of [0, 1], clipped to that, truncated."""
    levels: Pixels = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return levels
