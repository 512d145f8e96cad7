"""Ablation-CAM: each channel's weight is the share of the class's logit that goes with it.

Desai and Ramaswamy 2020: a channel of the feature map becomes zero, and only the layers behind it are asked again.
pytorch-grad-cam's puts a large negative number in its place where the map has negative cells, as behind a SiLU or a
norm: a larger one for each channel that it takes at a time, so that its maps depend on the order of the channels.
"""

from functools import partial

import torch
from torch import Tensor

from app.domain.maps.cam_methods import changed_at_once
from worker.salience.methods import weighted
from worker.salience.one_by_one import Case, parts


def ablationcam(case: Case) -> Tensor:
    """(h, w). Tokens beside the grid keep all their channels."""
    channels, height, width = case.features.shape[1:]
    whole = case.logits[0, case.chosen]
    left = torch.empty(channels, device=case.image.device)
    for part in parts(channels, changed_at_once(channels, height * width)):
        left[part] = case.scores_behind(partial(_without, part))
    return weighted(case.features, ((whole - left) / whole)[None])[0]


def _without(part: slice, features: Tensor) -> Tensor:
    """From (1, K, h, w) one (K, h, w) for each channel of the part, which is zero in it."""
    numbers = torch.arange(features.shape[1], device=features.device)
    gone = numbers[part, None] == numbers
    return features.expand(len(gone), -1, -1, -1).masked_fill(gone[:, :, None, None], 0)
