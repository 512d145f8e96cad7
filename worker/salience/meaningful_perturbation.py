"""Meaningful perturbation: the smallest smooth mask under which a blurred image takes the class's score away.

Fong and Vedaldi 2017, arXiv 1704.03296, by the objective of its equation 5 and the numbers of its authors' code: the
mask m has a cell for every 8 pixels, enlarged to the image and blurred (sigma 5) to M, and is what Adam finds in 300
steps for

    L1 sum |1 - m| + L2 sum |grad m|^3 + softmax of the class for M x + (1 - M) blurred(x),

x moved by up to 3 pixels in each step. It begins as the smallest disc in the middle that takes 99% of the score away.
Their code leaves the mask's blur out of the gradient, blurs 8 bits, and cuts moved images from a larger one; here the
gradient is the objective's, and the image's edge is repeated.
"""

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor
from torch.nn.functional import pad

from app.domain.vocabulary import ClassScore
from worker.salience.one_by_one import Case, parts

STEPS, RATE = 300, 0.1
CELL, MASK_SIGMA, IMAGE_SIGMA = 8, 5.0, 10.0
FEW, SMOOTH, POWER = 1e-4, 1e-2, 3
MOVES = 4
"""The offsets of a moved image are below it, down and right."""
DISCS, DISC_STEP, LEFT = 35, 5 / 224, 0.01
"""Radii that are tried, what one has more than the other as a share of the shorter side, the score that may be left."""


def least_deleted(case: Case) -> Tensor:
    """(H, W) float32: 1 - M, what has to be blurred away. One image with its graph is in memory at a time."""
    size = (case.image.shape[2], case.image.shape[3])
    hidden = _blurred(case.image, IMAGE_SIGMA)
    mask = _first_mask(case, hidden).requires_grad_()
    moves = case.stream.integers(0, MOVES, (STEPS, 2)).tolist()
    around = [MOVES // 2, MOVES // 2] * 2
    shown, hidden = (pad(each, around, mode="replicate") for each in (case.image, hidden))
    adam = torch.optim.Adam([mask], lr=RATE)
    for down, right in moves:
        window = (..., slice(down, down + size[0]), slice(right, right + size[1]))
        with torch.enable_grad():
            loss = _price(mask) + _score(case, _mixed(shown[window], hidden[window], enlarged(mask, size)))
            (mask.grad,) = torch.autograd.grad(loss, mask)
        adam.step()
        mask.clamp_(0, 1)
    return enlarged(1 - mask.detach(), size)  # where nothing is deleted it is 0, and no rounding of 1 - 1


def _price(mask: Tensor) -> Tensor:
    """Of a mask (h, w): what it deletes, and how rough it is."""
    down, right = (pad(mask.diff(dim=axis), places) for axis, places in ((0, (0, 0, 0, 1)), (1, (0, 1))))
    return FEW * (1 - mask).abs().sum() + SMOOTH * (down**2 + right**2).pow(POWER / 2).sum()


def _score(case: Case, images: Tensor) -> Tensor:
    """Sum over images (M, C, H, W) of the chosen class's score."""
    return _scores(case, images).sum()


def _scores(case: Case, images: Tensor) -> Tensor:
    return case.network.decisions.class_scores(case.logits_of(images), ClassScore.SOFTMAX)[:, case.chosen]


def _mixed(shown: Tensor, hidden: Tensor, masks: Tensor) -> Tensor:
    return shown * masks + hidden * (1 - masks)


def enlarged(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """(H, W) of a mask (h, w): every cell CELL pixels wide, blurred."""
    whole = mask.repeat_interleave(CELL, 0).repeat_interleave(CELL, 1)[: size[0], : size[1]]
    return _blurred(whole, MASK_SIGMA)


def _first_mask(case: Case, hidden: Tensor) -> Tensor:
    """(h, w): 0 in the middle of the first disc that leaves at most LEFT of what the largest takes away, 1 around."""
    height, width = case.image.shape[2:]
    rows, columns = (torch.arange(side, device=case.image.device) - side // 2 for side in (height, width))
    radii = torch.arange(DISCS, device=case.image.device) * DISC_STEP * min(height, width)
    discs = (rows[:, None] ** 2 + columns**2 <= radii.view(-1, 1, 1) ** 2).to(case.image)
    masks = 1 - _blurred(discs, IMAGE_SIGMA)
    found = torch.cat([_scores(case, _mixed(case.image, hidden, masks[part, None])) for part in parts(DISCS)])
    whole = _scores(case, case.image)
    enough = ((found - found[-1]) < LEFT * (whole - found[-1])).nonzero()
    first = masks[int(enough[0]) if len(enough) else DISCS - 1]
    middles = [torch.arange(CELL // 2, side + CELL // 2, CELL).clamp(max=side - 1) for side in (height, width)]
    return first[middles[0]][:, middles[1]].clone()


def _blurred(values: Tensor, sigma: float) -> Tensor:
    """(..., H, W)."""
    down, right = (_blur(side, sigma, values.device, values.dtype) for side in values.shape[-2:])
    return down @ values @ right.mT


@lru_cache(maxsize=8)
def _blur(side: int, sigma: float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(S, S): what a row becomes by SciPy's Gaussian, the edge repeated."""
    return torch.from_numpy(gaussian_filter1d(np.eye(side), sigma, axis=0, mode="nearest")).to(device, dtype)
