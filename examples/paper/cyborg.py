"""CYBORG, the human-guided loss of Boyd et al. (WACV 2023), which the paper's human-guided networks are trained with.

    loss = alpha * cross_entropy + (1 - alpha) * mean((cam - human) ** 2)

``cam`` is the class activation map (Zhou et al. 2016) of the true class: the last feature map weighted by that class's
row of the classifier, min-max normalised image by image. ``human`` is the human salience map, resized to the grid of
the ``cam`` (the mean over each cell's area) and min-max normalised too. ``alpha`` is 0.5, as the authors'. Their
repository has their testing code alone; this is written from the formula, not from their training code.
"""

import torch
from torch import Tensor
from torch.nn import functional

ALPHA = 0.5


def normalized(maps: Tensor) -> Tensor:
    """Each map (N, h, w) stretched to [0, 1]; a constant one becomes 0 everywhere."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp_min(1e-8)


def class_activation_maps(features: Tensor, classifier: Tensor, labels: Tensor) -> Tensor:
    """Of the labels' classes, in [0, 1]: (N, h, w) from features (N, K, h, w) and the classifier's weights (C, K)."""
    return normalized(torch.einsum("nkhw,nk->nhw", features, classifier[labels]))


def cyborg_loss(logits: Tensor, maps: Tensor, labels: Tensor, human: Tensor, alpha: float = ALPHA) -> Tensor:
    """The loss, a scalar.

    ``logits`` (N, C); ``maps`` (N, h, w) in [0, 1], the class activation maps of ``labels`` (N,); ``human`` (N, H, W),
    not negative.
    """
    target = normalized(functional.adaptive_avg_pool2d(human[:, None], (maps.shape[1], maps.shape[2]))[:, 0])
    return alpha * functional.cross_entropy(logits, labels) + (1 - alpha) * functional.mse_loss(maps, target)
