"""The measures once more, slowly and independently: autograd, scikit-image, SciPy, OpenCV, Pillow.

Nothing here is imported from the project but the seed of a noise stream, which is the project's to choose.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from skimage.util import random_noise
from torch.nn import functional

Bytes = NDArray[np.uint8]
Turn = Callable[[Bytes], Bytes]
SIZE = 224
SHIFT = 16
MOVES = {
    "shift_left": (-SHIFT, 0),
    "shift_right": (SHIFT, 0),
    "shift_up": (0, -SHIFT),
    "shift_down": (0, SHIFT),
    "shift_up_left": (-SHIFT, -SHIFT),
    "shift_up_right": (SHIFT, -SHIFT),
    "shift_down_left": (-SHIFT, SHIFT),
    "shift_down_right": (SHIFT, SHIFT),
}


def moved(image: Bytes, right: int, down: int) -> Bytes:
    """OpenCV's warp with a replicated border."""
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    warped = cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def flipped(image: Bytes, code: int) -> Bytes:
    return np.asarray(cv2.flip(image, code), np.uint8)


def turned(image: Bytes, code: int) -> Bytes:
    return np.asarray(cv2.rotate(image, code), np.uint8)


def view_pairs() -> dict[str, tuple[Turn, Turn]]:
    """Geometric view -> there and back."""
    shifts: dict[str, tuple[Turn, Turn]] = {
        name: (partial(moved, right=r, down=d), partial(moved, right=-r, down=-d)) for name, (r, d) in MOVES.items()
    }
    across, over = partial(flipped, code=1), partial(flipped, code=0)
    clockwise = partial(turned, code=cv2.ROTATE_90_CLOCKWISE)
    counter = partial(turned, code=cv2.ROTATE_90_COUNTERCLOCKWISE)
    return shifts | {
        "flip_horizontal": (across, across),
        "flip_vertical": (over, over),
        "rotate_90_cw": (clockwise, counter),
        "rotate_90_ccw": (counter, clockwise),
    }


class SlowAudit:
    """One ShuffleNet, one image at a time."""

    def __init__(self, module: torch.nn.Module, mean: list[float], std: list[float]) -> None:
        self.module = module.eval()
        self.mean, self.std = np.array(mean), np.array(std)

    def look(self, image: Bytes) -> tuple[NDArray[np.float64], int, NDArray[np.float64]]:
        """Grad-CAM by a full backward pass, the predicted class and the softmax."""
        pixels = ((image / 255 - self.mean) / self.std).astype(np.float32)
        images = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        for stage in ("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5"):
            images = self.module.get_submodule(stage)(images)
        activation = images.detach().requires_grad_()
        logits = self.module.get_submodule("fc")(activation.mean((2, 3)))
        predicted = int(logits.argmax())
        gradient = torch.autograd.grad(logits[0, predicted], activation)[0]
        raw = functional.relu((gradient.mean((2, 3), keepdim=True) * activation).sum(1))[0].detach().double().numpy()
        spread = raw.max() - raw.min()
        scaled = (raw - raw.min()) / spread if spread > 0 else np.zeros_like(raw)
        return scaled, predicted, functional.softmax(logits.double(), 1)[0].detach().numpy()

    def scores(self, image: Bytes, noise_of: Callable[[float], np.random.Generator]) -> dict[str, Any]:
        """Every view of every measure of a single model."""
        clean, predicted, probabilities = self.look(image)
        native, large = as_bytes(clean), enlarged(as_bytes(clean))
        found: dict[str, Any] = {"map": clean, "predicted": predicted, "probabilities": probabilities}
        found["spatial"], found["histogram"] = spatial(clean), histogram(native)
        for amount in (0.05, 0.5):
            noisy = random_noise(image, "s&p", rng=noise_of(amount), amount=amount)
            other, _, _ = self.look((noisy * 255).astype(np.uint8))
            found[f"noise@{amount:g}"] = structural_similarity(native, as_bytes(other))
        for name, (there, back) in view_pairs().items():
            other, _, _ = self.look(np.ascontiguousarray(there(image)))
            seen = enlarged(as_bytes(other))
            found[name] = structural_similarity(large, back(seen))
            found[f"{name} control"] = structural_similarity(large, seen)
        for name, salience in (("salience_removed", 255 - large), ("non_salience_removed", large)):
            other, _, _ = self.look(degraded(image, salience))
            found[name] = structural_similarity(large, enlarged(as_bytes(other)))
        return found


def as_bytes(maps: NDArray[np.float64]) -> Bytes:
    return (maps.astype(np.float32) * np.float32(255)).astype(np.uint8)


def enlarged(native: Bytes) -> Bytes:
    return np.asarray(Image.fromarray(native).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def spatial(maps: NDArray[np.float64]) -> float:
    shares = maps.ravel() / maps.sum()
    return float(-sum(p * math.log2(p) for p in shares if p > 0) / math.log2(maps.size))


def histogram(native: Bytes) -> float:
    _, counts = np.unique(native, return_counts=True)
    shares = counts / native.size
    return float(-(shares * np.log2(shares)).sum() / math.log2(min(256, native.size)))


def degraded(image: Bytes, salience: Bytes) -> Bytes:
    blurred = gaussian_filter(salience, 5)
    levels = np.round(blurred / blurred.max() * 10, 1)
    out = np.empty_like(image)
    for level in np.unique(levels):
        sigma = (10 - level) ** 4 / 1000
        for channel in range(3):
            changed = gaussian_filter(image[:, :, channel], sigma)
            out[levels == level, channel] = changed[levels == level]
    return out


def stability(maps: list[Bytes]) -> float:
    return float(np.mean([structural_similarity(a, b) for a, b in itertools.combinations(maps, 2)]))
