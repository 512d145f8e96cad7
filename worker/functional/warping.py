"""Images moved as scikit-image moves them, and what of them can be compared afterwards."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]

ROUNDING = 1e-6
"""Of a pixel: so far may a place that lies on the edge be outside."""


def warped(images: Tensor, ways: Sequence[Floats]) -> Tensor:
    """Every pixel of the result is what lies at the end of its way: one way for all images, or one each.

    ``ways`` are as scikit-image's ``warp`` takes them: a matrix (3, 3) for (x, y, 1), or row and column (2, H, W), in
    pixels from the upper left one's middle.
    ``images`` (N, ..., H, W) uint8. Bilinear, the edge repeated where nothing was, rounded to the nearest level.
    Returns the same shape, on the same device.
    """
    parts = images.cpu().chunk(len(ways))
    moved = [_moved(part, way) for part, way in zip(parts, ways, strict=True)]
    return torch.cat(moved).to(images.device)


def _moved(images: Tensor, way: Floats) -> Tensor:
    # scikit-image's transforms take half a second to import, and most audits ask for none.
    from skimage.transform import warp  # noqa: PLC0415

    planes = images.reshape(-1, *images.shape[-2:]).double().numpy()
    moved = [np.rint(warp(plane, way, order=1, mode="edge", preserve_range=True)) for plane in planes]
    return torch.from_numpy(np.stack(moved).astype(np.uint8)).reshape(images.shape)


def inside(places: Sequence[Floats]) -> Tensor:
    """Of row and column (2, H, W) each, (N, H, W) bool: which lie within an image of that size."""
    limits = np.array(places[0].shape[1:]).reshape(2, 1, 1) - 1
    within = [((place >= -ROUNDING) & (place <= limits + ROUNDING)).all(0) for place in places]
    return torch.from_numpy(np.stack(within))
