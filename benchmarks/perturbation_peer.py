"""Meaningful perturbation written again in NumPy and double precision: Adam and the gradients of the mask's price by
hand, blurs by SciPy and their way back by folding edges. Of torch nothing but the gradient of a score by its image.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import nn

Values = NDArray[np.float64]


def mask_deleted(network: nn.Module, image: Values, chosen: int, moves: NDArray[np.int64]) -> Values:
    """(H, W) of 1 - M for ``image`` (C, H, W) normalised; ``moves`` (steps, 2) are pixels down and right."""
    size = image.shape[1:]
    hidden = np.stack([_blurred(plane, 10) for plane in image])
    mask = _first(network, image, hidden, chosen)
    first, second = np.zeros_like(mask), np.zeros_like(mask)
    for step, (down, right) in enumerate(moves, start=1):
        shown, behind = (
            np.pad(each, ((0, 0), (2, 2), (2, 2)), "edge")[:, down : down + size[0], right : right + size[1]]
            for each in (image, hidden)
        )
        whole = _enlarged(mask, size)
        _, by_image = _score(network, shown * whole + behind * (1 - whole), chosen)
        gradient = _price_gradient(mask) + _back((by_image * (shown - behind)).sum(0), mask.shape)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        mask = np.clip(mask - rate, 0, 1)
    return 1 - _enlarged(mask, size)


def _score(network: nn.Module, image: Values, chosen: int) -> tuple[float, Values]:
    """Softmax of the class, and its gradient (C, H, W)."""
    leaf = torch.from_numpy(image[None].copy()).requires_grad_()
    score = network(leaf.clone()).softmax(1)[0, chosen]
    return float(score.detach()), torch.autograd.grad(score, leaf)[0][0].numpy()


def _price_gradient(mask: Values) -> Values:
    """Of 1e-4 sum |1 - m| + 1e-2 sum |grad m|^3, where differences leave the mask they are zero."""
    down, right = np.zeros_like(mask), np.zeros_like(mask)
    down[:-1], right[:, :-1] = np.diff(mask, axis=0), np.diff(mask, axis=1)
    steep = np.hypot(down, right)
    rough = np.zeros_like(mask)
    for change, axis in ((down, 0), (right, 1)):
        own = 3 * steep * change
        rough -= own
        rough += np.roll(own, 1, axis)  # the last row and column are zero
    return 1e-4 * np.sign(mask - 1) + 1e-2 * rough


def _first(network: nn.Module, image: Values, hidden: Values, chosen: int) -> Values:
    height, width = image.shape[1:]
    rows, columns = np.ogrid[-(height // 2) : height - height // 2, -(width // 2) : width - width // 2]
    masks = [
        1 - _blurred((rows**2 + columns**2 <= (number * 5 / 224 * min(height, width)) ** 2) * 1.0, 10)
        for number in range(35)
    ]
    left = np.array([_score(network, image * mask + hidden * (1 - mask), chosen)[0] for mask in masks])
    whole = _score(network, image, chosen)[0]
    enough = np.flatnonzero(left - left[-1] < 0.01 * (whole - left[-1]))
    down, right = (np.minimum(np.arange(4, side + 4, 8), side - 1) for side in (height, width))
    best: Values = masks[enough[0] if enough.size else 34][down][:, right]
    return best


def _enlarged(mask: Values, size: tuple[int, ...]) -> Values:
    whole: Values = np.asarray(np.kron(mask, np.ones((8, 8))), np.float64)
    return _blurred(whole[: size[0], : size[1]], 5)


def _back(by_pixel: Values, cells: tuple[int, ...]) -> Values:
    """The way back of ``_enlarged``."""
    for axis in (0, 1):
        by_pixel = np.apply_along_axis(_folded, axis, by_pixel)
    rows, columns = (8 * count - side for count, side in zip(cells, by_pixel.shape, strict=True))
    back: Values = np.pad(by_pixel, ((0, rows), (0, columns))).reshape(cells[0], 8, cells[1], 8).sum((1, 3))
    return back


def _folded(row: Values) -> Values:
    reach = 20
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / 5) ** 2)
    spread = np.convolve(row, kernel / kernel.sum())
    inside = spread[reach:-reach].copy()
    inside[0] += spread[:reach].sum()
    inside[-1] += spread[-reach:].sum()
    return inside


def _blurred(plane: Values, sigma: float) -> Values:
    blurred: Values = gaussian_filter(plane, sigma, mode="nearest")
    return blurred
