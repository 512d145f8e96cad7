"""What a picture looks like in 64 bits: pictures that look alike differ in few of them."""

import imagehash
import numpy as np
import scipy.fftpack  # noqa: F401 - imagehash imports it only when it is called, in a child's sandbox
from PIL import Image

_LEAST_SPREAD = 4.0
"""Standard deviation in grey values: a picture of one colour has no features, and noise would decide."""
_THUMBNAIL = 32


def perceptual_hash(image: Image.Image) -> str | None:
    """pHash (ImageHash) as 16 hexadecimal digits; None of a picture on which there is nothing to see."""
    small = image.convert("L").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    if float(np.asarray(small, np.float64).std()) < _LEAST_SPREAD:
        return None
    return str(imagehash.phash(image))
