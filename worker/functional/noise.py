"""Salt and pepper noise as scikit-image makes it."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.functional.native import native, share_out

Bytes = NDArray[np.uint8]

# scikit-image works on image * (1 / 255); the authors then truncate image * 255, which costs some values one level.
_TRUNCATED = (np.arange(256) * (1 / 255) * 255).astype(np.uint8).tobytes()


def noise_generator(seed: int, sample: str, amount: float) -> np.random.Generator:
    """The stream of one sample and amount: whatever batch, shard, order or worker it is computed in."""
    digest = hashlib.sha256(f"{seed}/{float(amount)!r}/{sample}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def salt_and_pepper(images: Tensor, amount: float, generators: Sequence[np.random.Generator]) -> Tensor:
    """Set about ``amount`` of the channel values to 0 or 255, half each.

    ``images`` (N, 3, H, W) uint8 with one generator each; returns a new tensor of the same shape and device. Equals
    ``skimage.util.random_noise(image, "s&p", amount=amount, rng=generator)`` on (H, W, 3), then truncate(x * 255).
    """
    pixels = images.cpu().contiguous().numpy()
    noisy = np.empty_like(pixels)

    def work(part: slice) -> None:
        for out, image, generator in zip(noisy[part], pixels[part], generators[part], strict=True):
            flip(image, amount, generator, out)

    flip = _by_numpy if native is None else _natively
    share_out(work, len(pixels))
    return torch.from_numpy(noisy).to(images.device)


def _natively(image: Bytes, amount: float, generator: np.random.Generator, out: Bytes) -> None:
    """(3, H, W), in `worker/functional/native_src/noise.c`."""
    native.salt_and_pepper(image, generator.bit_generator.capsule, amount, _TRUNCATED, out, image[0].size)


def _by_numpy(image: Bytes, amount: float, generator: np.random.Generator, out: Bytes) -> None:
    """The same draws, for (H, W, 3)."""
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    kept = np.frombuffer(pixels.tobytes().translate(_TRUNCATED), np.uint8).reshape(pixels.shape)
    # scikit-image draws nothing where every value flips.
    flipped = np.ones(pixels.shape, bool) if amount == 1 else generator.random(pixels.shape) <= amount
    salted = generator.random(pixels.shape) <= 0.5
    out[:] = np.where(flipped, salted * np.uint8(255), kept).transpose(2, 0, 1)
