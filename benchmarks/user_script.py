"""What people write today: one image at a time through pytorch-grad-cam, scikit-image, SciPy, OpenCV."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_grad_cam import GradCAM
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from skimage.util import random_noise
from torch import Tensor, nn

from benchmarks.subjects import MEAN, SIZE, STD

Pixels = NDArray[Any]

SHIFTS = [(x, y) for x in (-16, 0, 16) for y in (-16, 0, 16) if x or y]
TURNS = [
    (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE),
    (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_90_CLOCKWISE),
]


class UserScript:
    """The measures of one model, without the noise curve: 16 passes an image, as the service makes them."""

    def __init__(self, module: nn.Module, layer: str, reshape: Callable[[Tensor], Tensor] | None = None) -> None:
        """``reshape`` makes feature maps of tokens, as pytorch-grad-cam's pages have it."""
        self._module = module
        self._layer = module.get_submodule(layer)
        self._reshape = reshape

    def audit(self, image: Pixels) -> dict[str, float]:
        """``image`` (224, 224, 3) uint8."""
        clean = self._salience(image)
        scores = {"entropy": _entropy(clean)}
        noisy = random_noise(image, "s&p", rng=np.random.default_rng(0), amount=0.05)
        scores["noise"] = self._similar(clean, (noisy * 255).astype(np.uint8))
        for x, y in SHIFTS:
            scores[f"shift {x} {y}"] = structural_similarity(clean, _moved(self._salience(_moved(image, x, y)), -x, -y))
        for axis in (0, 1):
            scores[f"flip {axis}"] = structural_similarity(clean, cv2.flip(self._salience(cv2.flip(image, axis)), axis))
        for there, back in TURNS:
            turned = self._salience(cv2.rotate(image, there))
            scores[f"rotation {there}"] = structural_similarity(clean, cv2.rotate(turned, back))
        scores["salience removed"] = self._similar(clean, _degraded(image, 255 - clean))
        scores["non-salience removed"] = self._similar(clean, _degraded(image, clean))
        return scores

    def _similar(self, clean: Pixels, changed: Pixels) -> float:
        return float(structural_similarity(clean, self._salience(changed)))

    def _salience(self, image: Pixels) -> Pixels:
        tensor = torch.from_numpy(((image / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
        with GradCAM(self._module, [self._layer], self._reshape) as cam:
            salience = cam(tensor, None)[0]
        return np.asarray(Image.fromarray((salience * 255).astype(np.uint8)).resize((SIZE, SIZE)))


def _entropy(salience: Pixels) -> float:
    shares = salience[salience > 0] / salience.sum()
    return float(-(shares * np.log2(shares)).sum() / np.log2(salience.size))


def _moved(image: Pixels, x: int, y: int) -> Pixels:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)


def _degraded(image: Pixels, salience: Pixels) -> Pixels:
    blurred = gaussian_filter(salience, 5)
    levels = np.round(blurred / max(int(blurred.max()), 1) * 10, 1)
    out = np.empty_like(image)
    for level in np.unique(levels):
        sigma = (10 - level) ** 4 / 1000
        out[levels == level] = gaussian_filter(image, (sigma, sigma, 0))[levels == level]
    return out
