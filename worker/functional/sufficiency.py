"""How much of an image is enough: curves over the share of pixels that is kept, or removed.

Insertion and deletion (Petsiuk et al. 2018, RISE, section 4.3), from the prediction of the fill alone to that of the
whole image, so that a network whose class the fill already suggests cannot score high for nothing.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_RISE = 0.1
"""Of the score from the fill alone to the whole image; below it a curve would be of rounding and chance."""


def risen(scores: Floats, empty: Floats, whole: Floats) -> Floats:
    """``scores`` (N, S) in units of the rise from ``empty`` (N,) to ``whole`` (N,): 0 is the fill, 1 the whole image.

    NaN where the rise is under `LEAST_RISE`.
    """
    rise = (whole - empty)[:, None]
    return np.divide(scores - empty[:, None], rise, out=np.full_like(scores, np.nan), where=rise >= LEAST_RISE)


def area_under(shares: Floats, scores: Floats, ends: tuple[float, float]) -> Floats:
    """Trapezoidal area over shares from 0 to 1: (N,) of ``scores`` (N, S) at ``shares`` (S,) strictly in between.

    ``ends`` are the scores at 0 and at 1: (0, 1) where pixels are kept, (1, 0) where they are removed.
    """
    count = len(scores)
    places = np.concatenate([[0.0], shares, [1.0]])
    heights = np.concatenate([np.full((count, 1), ends[0]), scores, np.full((count, 1), ends[1])], axis=1)
    area: Floats = np.trapezoid(heights, places, axis=1)
    return area
