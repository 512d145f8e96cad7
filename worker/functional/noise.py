"""Salt and pepper noise as scikit-image makes it."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.functional.native import share_out

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
    pixels = images.permute(0, 2, 3, 1).cpu().contiguous().numpy()
    noisy = np.empty(pixels.shape, np.uint8)

    def work(part: slice) -> None:
        for out, image, generator in zip(noisy[part], pixels[part], generators[part], strict=True):
            out[:] = _noisy(image, amount, generator)

    share_out(work, len(pixels))
    return torch.from_numpy(noisy).permute(0, 3, 1, 2).to(images.device)


def _noisy(image: NDArray[np.uint8], amount: float, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Of a contiguous image; translating bytes is several times faster than looking them up in an array."""
    out = np.frombuffer(bytearray(image).translate(_TRUNCATED), np.uint8).reshape(image.shape)
    # scikit-image draws nothing where every value flips.
    flipped = np.ones(image.shape, bool) if amount == 1 else generator.random(image.shape) <= amount
    salted = generator.random(image.shape) <= 0.5
    np.copyto(out, salted.view(np.uint8) * np.uint8(255), where=flipped)
    return out
