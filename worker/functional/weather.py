"""ImageNet-C's fog, snow and spatter (arXiv 1903.12261), with the parameters and the arithmetic of its package
imagecorruptions.

Each takes an image (H, W, 3) uint8, its numbers at a severity, and the stream that it draws from.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian

from worker.functional.lens_blurs import swept, zoomed
from worker.functional.levels import Numbers, Pixels, Stream, Values, eight_bits

_WATER, _MUD = (np.array(colour) / 255 for colour in ((175, 238, 238), (63, 42, 20)))
_SHARPENING = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
_ROUGHNESS = 100.0


def fog(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """A cloud of some thickness added, and the whole darkened so that the brightest stays as bright."""
    thickness, decay = numbers
    height, width = image.shape[:2]
    values = image / 255
    brightest = values.max()
    values += thickness * cloud(max(height, width), decay, stream)[:height, :width, None]
    return eight_bits(values * brightest / (brightest + thickness))


def cloud(side: int, decay: float, stream: Stream) -> Values:
    """(S, S) float64 in [0, 1] by the diamond-square algorithm on a torus; S is the next power of two of ``side``.

    ``decay`` divides the random part from one step to the next.
    """
    total = 1 << (side - 1).bit_length()
    heights, rough = np.zeros((total, total)), _ROUGHNESS
    step = total
    while step >= 2:
        half = step // 2

        def around(sums: Values, rough: float = rough) -> Values:
            return sums / 4 + rough * stream.uniform(-rough, rough, sums.shape)

        corners = heights[::step, ::step]
        pairs = corners + np.roll(corners, -1, 0)
        heights[half::step, half::step] = around(pairs + np.roll(pairs, -1, 1))
        middles = heights[half::step, half::step]
        above, beside = middles + np.roll(middles, 1, 0), corners + np.roll(corners, -1, 1)
        heights[::step, half::step] = around(above + beside)
        left, below = middles + np.roll(middles, 1, 1), corners + np.roll(corners, -1, 0)
        heights[half::step, ::step] = around(left + below)
        step, rough = half, rough / decay
    heights -= heights.min()
    fog_: Values = heights / heights.max()
    return fog_


def snow(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """Flakes, zoomed, swept by wind, laid over a whitened image twice: once turned upside down."""
    mean, spread, size, least, radius, sigma, kept = numbers
    values = image.astype(np.float32) / np.float32(255)
    flakes = zoomed(stream.normal(mean, spread, image.shape[:2])[..., None], size)[..., 0]
    flakes = np.where(flakes < least, 0.0, np.clip(flakes, 0, 1))
    fallen = np.round(swept(flakes, int(radius), sigma, stream.uniform(-135, -45)) * 255).astype(np.uint8)
    fallen = fallen[: image.shape[0], : image.shape[1], None]
    grey = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)[..., None]
    white = kept * values + (1 - kept) * np.maximum(values, grey * 1.5 + 0.5)
    return eight_bits(white + fallen / 255 + np.rot90(fallen, 2) / 255)


def spatter(image: Pixels, numbers: Numbers, stream: Stream) -> Pixels:
    """Drops of water at severities 1 to 3, of mud at 4 and 5."""
    mean, spread, sigma, least, strength, is_mud = numbers
    values = image.astype(np.float32) / np.float32(255)
    liquid = gaussian(stream.normal(mean, spread, image.shape[:2]), sigma=sigma)
    if is_mud:
        covered = gaussian((liquid > least).astype(np.float32), sigma=strength)[..., None]
        covered = np.where(covered < 0.8, 0, covered)
        return eight_bits(values * (1 - covered) + _MUD * covered)
    drops = _drops((np.where(liquid < least, 0, liquid) * 255).astype(np.uint8))
    share = drops / (drops.max() or 1) * np.float32(strength)
    return eight_bits(values + share[..., None] * _WATER)


def _drops(liquid: Pixels) -> NDArray[np.float32]:
    """(H, W): how bright water is, by how far a pixel lies from the edge of its drop."""
    far = cv2.distanceTransform(255 - cv2.Canny(liquid, 50, 150), cv2.DIST_L2, 5)
    near = cv2.blur(np.minimum(far, 20), (3, 3)).astype(np.uint8)
    lit = cv2.filter2D(cv2.equalizeHist(near), cv2.CV_8U, _SHARPENING)
    return np.multiply(liquid, cv2.blur(lit, (3, 3)), dtype=np.float32)
