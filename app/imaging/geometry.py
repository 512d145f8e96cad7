"""The geometric views of an image for display; `worker.views.geometry` is what audits measure."""

import numpy as np
from numpy.typing import NDArray

_TURNS = {"rotate_90_cw": -1, "rotate_90_ccw": 1}
_FLIPS = {"flip_horizontal": 1, "flip_vertical": 0}
_STEPS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def as_seen(pixels: NDArray[np.uint8], view: str, shift_pixels: int | None = None) -> NDArray[np.uint8]:
    """(S, S, 3) as the model saw it in a geometric view; any other view leaves it as it is."""
    if view in _TURNS:
        return np.rot90(pixels, _TURNS[view])
    if view in _FLIPS:
        return np.flip(pixels, _FLIPS[view])
    if not view.startswith("shift_"):
        return pixels
    distance = shift_pixels or max(1, round(len(pixels) / 14))
    down, right = (distance * sum(parts) for parts in zip(*(_STEPS[step] for step in view.split("_")[1:]), strict=True))
    places = np.arange(len(pixels))
    rows, columns = (np.clip(places - moved, 0, len(pixels) - 1) for moved in (down, right))
    moved_pixels: NDArray[np.uint8] = pixels[rows][:, columns]
    return moved_pixels
