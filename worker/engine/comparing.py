"""Maps of several subjects brought to one size, and scores that were made without torch."""

from dataclasses import replace

import numpy as np
import torch

from worker.functional.similarities import resampled
from worker.given.comparing import Compared
from worker.given.lists import MapList
from worker.measures.base import Score
from worker.views.maps import SalienceMaps


def map_list(maps: SalienceMaps) -> MapList:
    """Of maps that a model gave."""
    native = maps.native.numpy()
    return MapList(list(native), maps.reasons, [None] * len(native))


def score_of(one: Compared) -> Score:
    """The same numbers."""
    return Score(torch.from_numpy(np.nan_to_num(one.values)), one.reasons)


def at_size(maps: SalienceMaps, size: tuple[int, int]) -> SalienceMaps:
    """By area at a size that is no larger; those that have it as they are."""
    if tuple(maps.native.shape[1:]) == size:
        return maps
    return replace(maps, native=torch.from_numpy(resampled(maps.native.cpu().numpy(), size)), _shared={})
