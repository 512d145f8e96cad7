"""Maps of image size from gradients that go all the way back to the pixels."""

import numpy as np
import torch
from torch import Tensor

from worker.salience.one_by_one import Case, parts

STEPS = 50
COPIES, SPREAD = 25, 0.15
AT_A_TIME = 5
"""Variants whose whole graph is in memory at once."""


def integrated_gradients(case: Case) -> Tensor:
    """Sundararajan et al. 2017, arXiv 1703.01365: 50 steps of Gauss and Legendre from zero to the normalised image.

    (H, W): attributions summed over the channels, their absolute value; as Captum attributes and shows them.
    """
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    factors, shares = (torch.from_numpy(each).to(case.image) / 2 for each in (nodes + 1, weights))
    total = torch.zeros_like(case.image[0])
    for part in parts(STEPS, AT_A_TIME):
        gradients = _gradients(case, factors[part].view(-1, 1, 1, 1) * case.image)
        total += (shares[part].view(-1, 1, 1, 1) * gradients).sum(0)
    return (case.image[0] * total).sum(0).abs()


def smoothgrad(case: Case) -> Tensor:
    """Smilkov et al. 2017, arXiv 1706.03825, with its authors' defaults: 25 copies, normal noise whose deviation is
    0.15 of the normalised image's range.

    (H, W): the mean gradient's absolute values, summed over the channels.
    """
    deviation = SPREAD * (case.image.max() - case.image.min())
    total = torch.zeros_like(case.image[0])
    for part in parts(COPIES, AT_A_TIME):
        noise = case.drawn(part.stop - part.start, *case.image.shape[1:])
        total += _gradients(case, case.image + deviation * noise).sum(0)
    return (total / COPIES).abs().sum(0)


def _gradients(case: Case, variants: Tensor) -> Tensor:
    """(M, C, H, W) of the chosen class's logits."""
    with torch.enable_grad():
        leaf = variants.detach().requires_grad_()
        # The clone is what a network may write to.
        return torch.autograd.grad(case.scores(leaf.clone()).sum(), leaf)[0]
