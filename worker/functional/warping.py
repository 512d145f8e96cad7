"""Images moved by a homography, as scikit-image moves them, and what of them can be compared afterwards."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Matrix = NDArray[np.float64]

ROUNDING = 1e-6
"""Of a pixel: so far may a place that lies on the edge be outside."""


def warped(images: Tensor, matrix: Matrix) -> Tensor:
    """Content moved: what is at (x, y) goes to ``matrix`` (3, 3) times (x, y, 1), from the upper left pixel's middle.

    ``images`` (..., H, W) uint8. Bilinear, the edge repeated where nothing was, rounded to the nearest level. Returns
    the same shape and device.
    """
    # scikit-image's transforms take half a second to import, and most audits ask for none.
    from skimage.transform import warp  # noqa: PLC0415

    shape = images.shape
    channels = images.cpu().reshape(-1, *shape[-2:]).permute(1, 2, 0).contiguous().numpy()
    moved = warp(channels.astype(np.float64), np.linalg.inv(matrix), order=1, mode="edge", preserve_range=True)
    levels = torch.from_numpy(np.rint(moved).astype(np.uint8)).permute(2, 0, 1)
    return levels.reshape(shape).contiguous().to(images.device)


def seen_by_both(matrix: Matrix, height: int, width: int) -> Tensor:
    """(H, W) bool: the pixels of the image as it was that are still inside after the move."""
    down, right = np.mgrid[:height, :width].astype(np.float64)
    x, y, depth = matrix @ np.stack([right.ravel(), down.ravel(), np.ones(right.size)])
    within = (depth > 0) & _inside(x / depth, width) & _inside(y / depth, height)
    return torch.from_numpy(within.reshape(height, width))


def _inside(places: NDArray[np.float64], side: int) -> NDArray[np.bool_]:
    return (places >= -ROUNDING) & (places <= side - 1 + ROUNDING)
