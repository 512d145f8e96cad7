"""The geometric views of an image for display; `worker.views.geometry` is what audits measure."""

import numpy as np
from numpy.typing import NDArray

from app.domain.moves import inverse, matrix_of, move_of

_TURNS = {"rotate_90_cw": -1, "rotate_90_ccw": 1}
_FLIPS = {"flip_horizontal": 1, "flip_vertical": 0}
_STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def as_seen(pixels: NDArray[np.uint8], view: str, shift_pixels: int | None = None) -> NDArray[np.uint8]:
    """(S, S, 3) as the model saw it in a geometric view; any other view leaves it as it is."""
    if view in _TURNS:
        return np.rot90(pixels, _TURNS[view])
    if view in _FLIPS:
        return np.flip(pixels, _FLIPS[view])
    if move_of(view) is not None:
        return _moved(pixels, view)
    if not view.startswith("shift_"):
        return pixels
    distance = shift_pixels or max(1, round(len(pixels) / 14))
    down, right = (distance * sum(parts) for parts in zip(*(_STEPS[step] for step in view.split("_")[1:]), strict=True))
    return shifted(pixels, down, right)


def shifted(pixels: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """(H, W, 3) with its content moved by that many pixels; what comes free repeats the edge."""
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    shown: NDArray[np.uint8] = pixels[rows][:, columns]
    return shown


def _moved(pixels: NDArray[np.uint8], view: str) -> NDArray[np.uint8]:
    """By the matrix that audits move it by, each pixel from the nearest one."""
    height, width = pixels.shape[:2]
    back = inverse(matrix_of(view, height, width))
    down, right = np.mgrid[:height, :width].astype(np.float64)
    x, y, depth = back @ np.stack([right.ravel(), down.ravel(), np.ones(right.size)])
    rows = np.clip(np.rint(y / depth), 0, height - 1).astype(int)
    columns = np.clip(np.rint(x / depth), 0, width - 1).astype(int)
    moved: NDArray[np.uint8] = pixels[rows, columns].reshape(pixels.shape)
    return moved
