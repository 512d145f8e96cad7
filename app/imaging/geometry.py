"""The geometric views of an image for display; `worker.views.geometry` is what audits measure."""

import numpy as np
from numpy.typing import NDArray

from app.domain.models.input_size import Size
from app.domain.views.moves import move_of
from app.imaging.motions import Stream, motion_of, places

_TURNS = {"rotate_90_cw": -1, "rotate_90_ccw": 1}
_FLIPS = {"flip_horizontal": 1, "flip_vertical": 0}
_STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def as_seen(pixels: NDArray[np.uint8], view: str, stream: Stream, shift_pixels: int | None = None) -> NDArray[np.uint8]:
    """(S, S, 3) as the model saw it in a geometric view; any other view leaves it as it is.

    ``stream`` is that of the sample and the view (`order_generator`), for moves that are random.
    """
    if view in _TURNS:
        return np.rot90(pixels, _TURNS[view])
    if view in _FLIPS:
        return np.flip(pixels, _FLIPS[view])
    if move_of(view) is not None:
        return _moved(pixels, view, stream)
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


def _moved(pixels: NDArray[np.uint8], view: str, stream: Stream) -> NDArray[np.uint8]:
    """As audits move it, each pixel from the nearest one."""
    size = Size(*pixels.shape[:2])
    nearest = np.rint(places(motion_of(view, size, stream).back, size))
    rows, columns = (np.clip(place, 0, side - 1).astype(int) for place, side in zip(nearest, size, strict=True))
    moved: NDArray[np.uint8] = pixels[rows, columns]
    return moved
