"""Score-CAM, and its smoothed and integrated forms: each channel's weight is the score of the image seen through it.

A channel is brought to [0, 1], enlarged bilinearly to the image and multiplied with it; the class's logit for that, or
its mean over some variants, softmax over the channels, is the channel's weight. The logit of a baseline, which the
papers subtract, is the same for all channels and drops out of the softmax. Score-CAM is what pytorch-grad-cam makes of
it, which enlarges first and lets the corners meet; the other two are TorchCAM's, which does neither.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from worker.salience.methods import weighted
from worker.salience.one_by_one import Case, parts

SMOOTHED, DEVIATION = 35, 2.0
INTEGRATED = 10


def scorecam(case: Case) -> Tensor:
    """Wang et al. 2020, arXiv 1910.01279."""
    channels, size = case.features[0, :, None], case.image.shape[2:]
    scores = torch.empty(len(channels), device=case.image.device)
    for part in parts(len(channels)):
        enlarged = interpolate(channels[part], size, mode="bilinear", align_corners=True)
        scores[part] = case.scores(_in_range(enlarged) * case.image)
    return _combined(case, scores)


def sscam(case: Case) -> Tensor:
    """Wang et al. 2020, arXiv 2006.14255, with 35 draws: normal noise of deviation 2 on every pixel of the mask."""
    masks, image = _masks(case), case.image
    total = torch.zeros(len(masks), device=image.device)
    for _ in range(SMOOTHED):
        for part in parts(len(masks)):
            noise = case.drawn(part.stop - part.start, *image.shape[2:]) * DEVIATION
            total[part] += case.scores((_enlarged(masks[part], image) + noise[:, None]) * image)
    return _combined(case, total / SMOOTHED)


def iscam(case: Case) -> Tensor:
    """Naidu et al. 2020, arXiv 2010.03023, with 10 steps. Step i adds i/10 of the masked image to those before: the
    factors are 0.1, 0.3, 0.6, ... 5.5.
    """
    masks, image = _masks(case), case.image
    total, factor = torch.zeros(len(masks), device=image.device), 0.0
    for step in range(1, INTEGRATED + 1):
        factor += step / INTEGRATED
        for part in parts(len(masks)):
            total[part] += case.scores(factor * _enlarged(masks[part], image) * image)
    return _combined(case, total / INTEGRATED)


def _masks(case: Case) -> Tensor:
    """(K, 1, h, w) in [0, 1]; a constant channel is zero."""
    return _in_range(case.features[0, :, None])


def _in_range(channels: Tensor) -> Tensor:
    above = channels - channels.amin((2, 3), keepdim=True)
    return above / (above.amax((2, 3), keepdim=True) + 1e-8)


def _enlarged(masks: Tensor, image: Tensor) -> Tensor:
    return interpolate(masks, image.shape[2:], mode="bilinear", align_corners=False)


def _combined(case: Case, scores: Tensor) -> Tensor:
    return weighted(case.features, scores.softmax(0)[None])[0]
