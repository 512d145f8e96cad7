"""What stands where pixels are taken away: one colour, a blurred image, or what the pixels around suggest."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad


def coloured(images: Tensor, colour: tuple[int, int, int]) -> Tensor:
    """One colour all over: ``images`` (N, 3, H, W) uint8 give the shape and the device."""
    levels = torch.tensor(colour, dtype=torch.uint8, device=images.device)
    return levels.view(1, 3, 1, 1).expand_as(images)


def blurred(images: Tensor, sigma: float) -> Tensor:
    """SciPy's Gaussian of 8-bit images (truncated at 4 sigma, reflected): ``images`` (N, 3, H, W) uint8."""
    pixels = images.cpu().numpy()
    return torch.from_numpy(np.stack([gaussian_filter(one, (0, sigma, sigma)) for one in pixels])).to(images.device)


def inpainted(images: Tensor, known: Tensor, colour: tuple[int, int, int]) -> Tensor:
    """The unknown pixels from the known ones around them, by a pyramid: pull and push (Gortler et al. 1996, section 5).

    ``images`` (N, 3, H, W) uint8, ``known`` (N, 1, H, W) bool. Averages of the known pixels go up until one cell holds
    all; on the way down every unknown pixel takes what the level above knows. Returns uint8 of the images' shape, equal
    to ``images`` where known; ``colour`` where nothing is.
    """
    filled = _pull_push(images.float() * known, known.float())
    nothing = ~known.flatten(1).any(1).view(-1, 1, 1, 1)
    filled = torch.where(nothing, coloured(images, colour).float(), filled)
    return torch.where(known, images, filled.round().clamp(0, 255).to(torch.uint8))


def _pull_push(weighted: Tensor, weights: Tensor) -> Tensor:
    """``weighted`` (N, 3, H, W) = values * weights, ``weights`` (N, 1, H, W) in [0, 1]: values everywhere."""
    height, width = weighted.shape[-2:]
    values = weighted / weights.clamp(min=1e-6)
    if height == width == 1:
        return values
    # A level of odd size gets one more row and column that count nothing.
    odd = (0, width % 2, 0, height % 2)
    coarse_weights = avg_pool2d(pad(weights, odd), 2)
    coarse = avg_pool2d(pad(weighted, odd), 2) / coarse_weights.clamp(min=1e-6)
    saturated = (4 * coarse_weights).clamp(max=1)
    above = _pull_push(coarse * saturated, saturated)
    pushed = interpolate(above, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]
    return weights * values + (1 - weights) * pushed
