"""ImageNet-C's frost (arXiv 1903.12261), with the arithmetic of its package imagecorruptions and its photographs of
frost, which lie beside this file; their NOTICE says where they are from.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from worker.functional.levels import Numbers, Pixels, Stream

# The package has a sixth, which it never draws.
PHOTOGRAPHS = [
    Path(__file__).with_name("frost_photographs") / name
    for name in ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg")
]
_LARGER = 1.1


def frost(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """The image, darkened, and a part of a photograph of frost from anywhere in it, added up."""
    kept, added = numbers
    height, width = image.shape[:2]
    photograph = _photograph(int(stream.integers(len(PHOTOGRAPHS))), height, width)
    top, left = (int(stream.integers(0, photograph.shape[axis] - image.shape[axis])) for axis in (0, 1))
    part = photograph[top : top + height, left : left + width]
    return np.clip(kept * image + added * part, 0, 255).astype(np.uint8)


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _photograph(number: int, height: int, width: int) -> Pixels:
    """(H, W, 3) RGB, a tenth larger than it is; one that does not cover an image of that size, than it would have to
    be.
    """
    picture = cv2.imread(str(PHOTOGRAPHS[number]))
    if picture is None:
        raise FileNotFoundError(PHOTOGRAPHS[number])
    rows, columns = picture.shape[:2]
    factor = max(1, height / rows, width / columns) * _LARGER
    size = int(np.ceil(columns * factor)), int(np.ceil(rows * factor))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[..., ::-1]).astype(np.uint8, copy=False)
